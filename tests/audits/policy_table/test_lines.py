"""One line for one domain: each value where facts justify it, and nowhere else."""

from datetime import timedelta

import pytest

from audits.policy_table.evidence import evidence_of
from audits.policy_table.lines import Line, Skip, line_of, sts_patterns
from audits.policy_table.looks import Rung, Way
from scanner.facts import Fact, RouteStatus

from .look_factory import address, facts, look, window, wish

DNSSEC, STS, NEXTHOP = ({**dict.fromkeys(Way, Fact.NO), way: Fact.YES} for way in Way)
DANE = {Rung.DANE: Fact.YES, Rung.DANE_ONLY: Fact.YES}
DANE_UNSIGNED = {Rung.DANE: Fact.YES, Rung.DANE_ONLY: Fact.NO, Rung.DANE_OR_LESS: Fact.YES}
BY_NAME = {Rung.MUST_BY_NAME: Fact.YES}
ENCRYPTED = facts(Rung.MUST_NOPEERMATCH)
BROKEN = address(facts(Rung.MAY), delayed=True)


def value(evidence, **options) -> str:
    made = line_of(evidence, wish(**options))
    return made.value if isinstance(made, Line) else f"- {made.why}"


@pytest.mark.parametrize(
    ("said", "more", "expected"),
    [
        (facts() | DANE, {}, "dane-only"),
        (facts() | DANE_UNSIGNED, {}, "verify"),
        (ENCRYPTED | DANE_UNSIGNED, {}, "encrypt"),
        (facts() | DANE_UNSIGNED, {"ways": NEXTHOP}, "secure match=nexthop"),
        (facts(), {"ways": NEXTHOP}, "secure match=nexthop"),
        (facts(), {"ways": STS, "sts_mx": ("mx.example.org", "*.test")}, "secure match=mx.example.org:.test"),
        (facts(), {"ways": STS, "sts_mx": ("bad name",)}, "verify"),
        (facts(), {"ways": STS, "sts_mx": ("mx.example.net",)}, "verify"),
        (facts(), {"ways": DNSSEC}, "verify"),
        (facts(), {}, "verify"),
        (ENCRYPTED | BY_NAME, {"ways": DNSSEC}, "verify servername=hostname"),
        (ENCRYPTED | BY_NAME, {"ways": STS, "sts_mx": ("*.org",)}, "secure match=.org servername=hostname"),
        (ENCRYPTED, {}, "encrypt"),
        (facts(Rung.MAY), {}, "may"),
        (facts(Rung.NONE), {}, "none"),
        (facts(Rung.MUST, least=Rung.MAY), {}, "verify"),
        (facts(unknown=[Rung.MUST]), {}, "encrypt"),
    ],
)  # fmt: skip
def test_policy_maps(said, more, expected):
    assert value(window(address(said), **more)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (facts() | DANE, "MUST"),
        (ENCRYPTED | BY_NAME | DANE, "MUST_NOPEERMATCH"),
        (facts(Rung.MAY), "MAY"),
        (facts(Rung.NONE), "NONE"),
    ],
)
def test_per_site(said, expected):
    assert value(window(address(said)), form="per-site", version="2.2.9") == expected


@pytest.mark.parametrize(
    ("version", "said", "expected"),
    [
        ("2.10", facts() | DANE, "verify"),
        ("2.11", facts() | DANE, "dane-only"),
        ("3.3", ENCRYPTED | BY_NAME, "encrypt"),
        ("3.4", ENCRYPTED | BY_NAME, "verify servername=hostname"),
    ],
)
def test_the_version_decides_what_can_be_said(version, said, expected):
    assert value(window(address(said)), version=version) == expected


@pytest.mark.parametrize(
    ("version", "form", "expected"),
    [
        *(
            ("2.2", "per-site", "MUST_NOPEERMATCH"),
            ("3.5", "per-site", "MUST_NOPEERMATCH"),
            ("3.6", "per-site", "MUST"),
        ),
        *(("2.3", "policy-maps", "encrypt"), ("3.5", "policy-maps", "encrypt"), ("3.6", "policy-maps", "verify")),
    ],
)
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_before_3_6_no_certificate_matches_an_address(version, form, expected, host):
    """The code compared dNSNames and the CN alone, so that all mail would wait."""
    known = {"ways": NEXTHOP, "status": RouteStatus.NEXT_HOP, "brackets": True, "name": host, "entry": f"[{host}]"}
    evidence = window(address(facts() | BY_NAME, host=host, at=host), **known)
    assert value(evidence, version=version, form=form).split()[0] == expected


@pytest.mark.parametrize(
    ("said", "ways", "expected"),
    [
        (facts(), {}, "encrypt"),
        (facts(), DNSSEC, "verify"),
        (facts(), NEXTHOP, "secure match=nexthop"),
        (facts() | DANE, {}, "dane-only"),
        (facts() | DANE_UNSIGNED, {}, "encrypt"),
        (ENCRYPTED | BY_NAME, {}, "encrypt"),
    ],
)
def test_strict_trusts_no_name_from_unsigned_mx_records(said, ways, expected):
    ways = ways or dict.fromkeys(Way, Fact.NO)
    assert value(window(address(said), ways=ways), strict=True) == expected


@pytest.mark.parametrize(
    ("ways", "version", "expected"),
    [(DNSSEC, "3.7", "dane"), (DNSSEC, "2.10", "may"), (dict.fromkeys(Way, Fact.NO), "3.7", "may")],
)
def test_dane_where_one_host_has_it_and_another_no_tls_at_all(ways, version, expected):
    """`dane` keeps the first host safe and lets the other have its mail; behind unsigned MX records it would not."""
    first = address(facts() | DANE | {Rung.DANE_OR_LESS: Fact.YES})
    clear = facts(Rung.MAY) | {Rung.DANE: Fact.NO, Rung.DANE_ONLY: Fact.NO, Rung.DANE_OR_LESS: Fact.YES}
    second = address(clear, host="mx2.example.org", at="192.0.2.2")
    assert value(evidence_of([look(first, second, ways=ways)], 1), version=version) == expected


def test_strict_in_per_site():
    """MUST compares the MX host's name alone: who forges the MX records passes it, whatever a policy or the domain's
    own name in today's certificates would say."""
    for ways in (dict.fromkeys(Way, Fact.NO), STS, NEXTHOP):
        assert value(window(address(), ways=ways), form="per-site", strict=True) == "MUST_NOPEERMATCH"
        assert line_of(window(address(), ways=ways), wish("per-site")).candidate.trusting
    forged = {"ways": NEXTHOP, "status": RouteStatus.IMPLICIT_MX}
    assert value(window(address(), **forged), form="per-site", strict=True) == "MUST_NOPEERMATCH"
    for known in ({"ways": DNSSEC}, {"ways": NEXTHOP, "status": RouteStatus.NEXT_HOP}):
        assert value(window(address(), **known), form="per-site", strict=True) == "MUST"


def test_a_domain_that_is_its_own_host_is_asked_for_by_its_own_name():
    """`verify` alone would take any host that a forged MX record names."""
    own = {"ways": NEXTHOP, "status": RouteStatus.IMPLICIT_MX}
    made = value(window(address(ENCRYPTED | BY_NAME), **own), strict=True)
    assert made == "secure match=nexthop servername=hostname"
    assert value(window(address(ENCRYPTED | BY_NAME), ways=NEXTHOP), strict=True) == "encrypt"


def test_what_trusts_unsigned_names_says_so():
    made = line_of(window(address()), wish())
    assert made.candidate.trusting
    made = line_of(window(address(), ways=DNSSEC), wish())
    assert not made.candidate.trusting


# --- ways down -----------------------------------------------------------------------------------------------------


def test_may_is_no_line_where_encryption_is_only_unproven():
    """It would lower a stronger global level."""
    assert value(evidence_of([look(address())], 3)) == "- not encrypt: seen in 1 of 3 runs"
    unknown = facts(unknown=[Rung.MUST_NOPEERMATCH, Rung.MUST])
    assert value(window(address(unknown))).startswith("- not encrypt: not known of")


def test_with_too_few_runs_only_what_demands_nothing():
    assert value(evidence_of([look(address(facts(Rung.MAY)))], 3)) == "may"
    assert value(evidence_of([look(address(facts(Rung.NONE)))], 3)) == "none"
    assert value(evidence_of([look(address(ENCRYPTED))], 3)).startswith("-")


def test_broken_tls_everywhere_means_none_and_somewhere_means_may():
    assert value(window(BROKEN)) == "none"
    good = address(host="mx2.example.org", at="192.0.2.2")
    assert value(evidence_of([look(BROKEN, good)], 1)) == "may"
    assert value(evidence_of([look(BROKEN, good)], 1), form="per-site", version="2.2.9") == "NONE"


def test_broken_tls_on_a_server_that_refuses_clear_text_leaves_may():
    demanding = address(facts(Rung.MAY, least=Rung.MAY), delayed=True)
    assert value(window(demanding)) == "may"


def test_a_line_falls_at_once_and_rises_slowly():
    good, bad = address(facts()), address(ENCRYPTED)
    days = [good, good, bad, good, good, good]
    lines = []
    for today in range(2, len(days) + 1):
        looks = [look(each, days_ago=0) for each in reversed(days[:today])]
        lines.append(value(evidence_of(looks, 2), form="per-site"))
    assert lines == ["MUST", "MUST_NOPEERMATCH", "MUST_NOPEERMATCH", "MUST", "MUST"]


def test_no_common_level_is_no_line():
    clear = address(facts(Rung.NONE))
    demanding = address(facts(Rung.MUST, least=Rung.MAY), host="mx2.example.org", at="192.0.2.2")
    assert value(evidence_of([look(clear, demanding)], 1)).startswith("- not encrypt: ")


# --- time ----------------------------------------------------------------------------------------------------------


def test_a_level_whose_certificate_ended_since_is_not_written():
    ended = address(until=wish().now - timedelta(hours=1))
    assert value(window(ended)) == "encrypt"
    assert "certificate of mx.example.org expires (2026-11-21); scan again" in line_of(window(ended), wish()).lack


def test_old_facts_make_no_line():
    old = evidence_of([look(address(), days_ago=31)], 1)
    assert value(old) == "- not encrypt: the newest look is too old (2026-11-20); scan again"


# --- reasons -------------------------------------------------------------------------------------------------------


def test_why_not_more():
    assert line_of(window(address(ENCRYPTED)), wish()).lack.startswith("not verify: certificate-expired")
    no = facts() | {Rung.DANE_ONLY: Fact.NO}
    failing = address(no, reasons={Rung.DANE_ONLY: "tlsa-invalid: matches none"})
    assert line_of(window(failing, ways=DNSSEC), wish()).lack.startswith("not dane-only: tlsa-invalid")
    without = address(no, reasons={Rung.DANE_ONLY: "dane-required: no secure TLSA records"})
    assert line_of(window(without, ways=DNSSEC), wish()).lack == ""


@pytest.mark.parametrize(
    ("entry", "port", "why"),
    [
        ("[mx.example.org]:465", 465, "port 465 needs"),
        ("a b", None, "its name can be no key"),
        ("a\nb", None, "its name can be no key"),
        ("x" * 3 + "\u00fc", None, "its name can be no key"),
    ],
)
def test_what_can_be_no_key(entry, port, why):
    made = line_of(window(address(), entry=entry, port=port), wish())
    assert isinstance(made, Skip)
    assert why in made.why


def test_next_hops_are_keys_as_they_are_written():
    for entry in (
        "[mx.example.org]",
        "[mx.example.org]:587",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]:25",
        "example.org:587",
    ):
        made = line_of(window(address(), entry=entry), wish())
        assert (made.key, made.value) == (entry, "verify")


def test_an_address_is_no_name_that_secure_could_match():
    """An iPAddress is compared with the host, not with the patterns of match=."""
    known = {"ways": NEXTHOP, "status": RouteStatus.NEXT_HOP, "brackets": True}
    made = line_of(window(address(), entry="[192.0.2.1]", name="192.0.2.1", **known), wish(strict=True))
    assert (made.value, made.candidate.trusting) == ("verify", False)
    named = line_of(window(address(), entry="[mx.test]:587", name="mx.test", port=587, **known), wish(strict=True))
    assert named.value == "secure match=nexthop"


def test_patterns_are_bounded_and_cover_the_hosts_of_today():
    def patterns(*listed):
        return sts_patterns(window(address(), ways=STS, sts_mx=listed))

    many = tuple(f"mx{number}.example.org" for number in range(20))
    assert patterns("mx.example.org", *many) == ()
    assert patterns("mx.example.org", *many[:19]) == ("mx.example.org", *many[:19])
    assert patterns("MX.example.org.", "mx.example.org") == ("mx.example.org",)
    assert patterns("mx.example.org", "a:b") == ()
    assert patterns("*.example.org") == (".example.org",)
    assert patterns(*many) == ()


def test_names_are_known_at_the_hosts_that_were_seen_only():
    """One look saw host A name the domain, another saw host B: nobody saw B do so."""
    open_ = {Way.DNSSEC: Fact.NO, Way.STS: Fact.NO, Way.NEXTHOP: Fact.INCONCLUSIVE}
    other, silent = (address(said, "mx2.example.org", "192.0.2.2") for said in (None, {}))
    newest = look(address(facts(unknown=[Rung.MUST])), other, ways=open_)
    before = look(address(), silent, days_ago=1, ways=NEXTHOP)
    assert value(evidence_of([newest, before], 2)) == "verify"
    assert value(evidence_of([newest, look(address(), other, days_ago=1, ways=NEXTHOP)], 2)) == "secure match=nexthop"


def test_a_policy_of_yesterday_does_not_name_the_hosts_of_today():
    unknown = {Way.DNSSEC: Fact.NO, Way.STS: Fact.INCONCLUSIVE, Way.NEXTHOP: Fact.NO}
    moved = look(address(host="mx.new.test", at="192.0.2.9"), ways=unknown)
    before = look(address(), days_ago=1, ways=STS, sts_mx=("mx.example.org",))
    assert value(evidence_of([moved, before], 2)) == "verify"
