"""Whole tables: keys that other domains find too, and routes around the DNS."""

import pytest

from audits.policy_table.evidence import evidence_of
from audits.policy_table.looks import Rung, Way
from audits.policy_table.table import table_of
from audits.postfix.parameters import DEFAULT_VERSION
from audits.postfix.per_site import GlobalPolicy, effective_level
from audits.postfix.tables import TableList
from audits.postfix.text_tables import parse_text_table
from audits.postfix.tls_levels import TLS_LEVEL_OF
from scanner.facts import Fact, Level

from .look_factory import address, facts, look, wish

UNSIGNED = dict.fromkeys(Way, Fact.NO)
SIGNED = UNSIGNED | {Way.DNSSEC: Fact.YES}


def domain(entry, *addresses, **more):
    return evidence_of([look(*addresses, **({"entry": entry, "name": entry} | more))], 1)


def mx(host, best=Rung.MUST, at="192.0.2.1", **more):
    return address(facts(best, **more), host=host, at=at)


def rows(table):
    return {line.key: line.value for line in table.lines}


def test_lines_stand_in_the_order_of_their_keys():
    made = table_of([domain("b.test", mx("m.test")), domain("a.test", mx("m.test"))], wish())
    assert list(rows(made)) == ["a.test", "b.test"]


def test_a_key_that_is_an_mx_host_elsewhere_must_be_true_there():
    """b.test's mail goes over the host a.test, where MUST fails: the line for a.test's own mail would catch it."""
    a = domain("a.test", mx("elsewhere.test"))
    b = domain("b.test", mx("a.test", Rung.MUST_NOPEERMATCH, "192.0.2.2"))
    made = table_of([a, b], wish("per-site"))
    assert rows(made) == {"b.test": "MUST_NOPEERMATCH"}
    assert "also an MX host of b.test, which does not sustain MUST there" in made.skips[0].why
    assert rows(table_of([a, b], wish())) == {"a.test": "verify", "b.test": "encrypt"}


def test_a_key_that_is_an_mx_host_elsewhere_stays_where_it_holds():
    a = domain("a.test", mx("a.test"))
    b = domain("b.test", mx("a.test"), mx("x.test", Rung.MAY, "192.0.2.2"))
    assert rows(table_of([a, b], wish("per-site"))) == {"a.test": "MUST", "b.test": "MAY"}
    weaker = domain("a.test", mx("other.test", Rung.MAY, "192.0.2.3"))
    assert rows(table_of([weaker, domain("b.test", mx("a.test"))], wish("per-site"))) == {
        "a.test": "MAY",
        "b.test": "MUST",
    }


def test_none_for_a_domain_does_not_take_tls_from_its_neighbour():
    """NONE beats MAY: where the neighbour demands TLS, the key goes."""
    clear = domain("a.test", mx("other.test", Rung.NONE, "192.0.2.3"))
    demanding = domain("b.test", mx("a.test", Rung.MAY, least=Rung.MAY))
    made = table_of([clear, demanding], wish("per-site"))
    assert rows(made) == {"b.test": "MAY"}


def test_none_for_a_domain_does_not_send_its_neighbours_mail_in_clear():
    """b.test has no line, or only MAY, and its TLS works: NONE for the host would take it away."""
    clear = domain("a.test", mx("other.test", Rung.NONE, "192.0.2.3"))
    for neighbour in (
        domain("b.test", mx("a.test"), address({}, "x.test", "192.0.2.4")),
        domain("b.test", mx("a.test")),
    ):
        made = table_of([clear, neighbour], wish("per-site"))
        assert "a.test" not in rows(made) or rows(made)["b.test"] == "MUST"
    broken = domain("b.test", mx("a.test", Rung.NONE), address({}, "x.test", "192.0.2.4"))
    assert rows(table_of([clear, broken], wish("per-site"))) == {"a.test": "NONE"}


def test_domains_beside_the_table_count_too():
    a = domain("a.test", mx("elsewhere.test"))
    b = domain("b.test", mx("a.test", Rung.MUST_NOPEERMATCH, "192.0.2.2"))
    assert rows(table_of([a], wish("per-site"))) == {"a.test": "MUST"}
    made = table_of([a], wish("per-site"), [b])
    assert rows(made) == {}
    assert "also an MX host of b.test" in made.skips[0].why


@pytest.mark.parametrize("best", [Rung.NONE, Rung.MAY, Rung.MUST_NOPEERMATCH, Rung.MUST])
@pytest.mark.parametrize("other", [Rung.NONE, Rung.MAY, Rung.MUST_NOPEERMATCH, Rung.MUST])
def test_what_postfix_finds_is_sustained_at_every_host(best, other):
    """The written table, resolved as smtp(8) does for each domain and host."""
    everyone = [
        domain("a.test", mx("m.test", best, "192.0.2.1")),
        domain("m.test", mx("far.test", other, "192.0.2.2")),
        domain("c.test", mx("m.test", best, "192.0.2.1"), mx("a.test", other, "192.0.2.3")),
    ]
    made = table_of(everyone, wish("per-site"))
    text = "".join(f"{key} {value}\n" for key, value in rows(made).items())
    tables = TableList((parse_text_table(text, "table"),))
    for each in everyone:
        for host in each.hosts:
            level = effective_level(GlobalPolicy(use_tls=True), tables, each.entry, host).level
            rung = next(Rung(site.value) for site, tls in TLS_LEVEL_OF.items() if tls is level)
            found = {line for line in rows(made) if line in (each.entry, host)}
            assert not found or each.host_fact(host, rung) is Fact.YES, (each.entry, host, level)
    assert {Level(value) for value in rows(made).values()}


# --- transport -----------------------------------------------------------------------------------------------------


def routes(table):
    return {line.key: line.value for line in table.routes}


def test_routes_and_the_policies_of_their_brackets():
    several = domain("a.test", mx("m1.test"), mx("m2.test", at="192.0.2.2"), ways=SIGNED)
    shared = domain("b.test", mx("m1.test"))
    made = table_of([several, shared, domain("c.test", mx("m3.test", Rung.MUST_NOPEERMATCH))], wish("transport"))
    assert routes(made) == {"a.test": "smtp:[m1.test], [m2.test]", "b.test": "smtp:[m1.test]"}
    assert rows(made) == {"[m1.test]": "secure match=nexthop", "[m2.test]": "secure match=nexthop"}
    assert [skip.entry for skip in made.skips] == ["c.test"]
    assert made.skips[0].why.startswith("not MUST: certificate-expired")


def test_no_route_over_a_next_hop_whose_own_look_failed():
    """Both would share the key [m.test], and with it MUST."""
    own = domain("[m.test]", mx("m.test", Rung.MUST_NOPEERMATCH), name="m.test", brackets=True)
    made = table_of([own, domain("a.test", mx("m.test"))], wish("transport"))
    assert rows(made) == routes(made) == {}
    assert made.skips[1].why == "[m.test] is a next-hop of its own, where MUST fails"


def test_strict_freezes_no_name_from_unsigned_mx_records():
    signed, unsigned = (domain(f"{n}.test", mx("m.test"), ways=ways) for n, ways in (("a", SIGNED), ("b", UNSIGNED)))
    made = table_of([signed, unsigned], wish("transport", strict=True))
    assert set(routes(made)) == {"a.test"}
    assert "unsigned MX records" in made.skips[0].why
    assert [line.candidate.trusting for line in table_of([unsigned], wish("transport")).lines] == [True]


def test_before_3_5_a_route_has_one_host():
    several = domain("a.test", mx("m1.test"), mx("m2.test", at="192.0.2.2"))
    assert "before Postfix 3.5" in table_of([several], wish("transport", "3.4")).skips[0].why
    assert routes(table_of([several], wish("transport", "3.5")))


def test_before_2_3_the_policies_are_per_site():
    made = table_of([domain("a.test", mx("m.test"))], wish("transport", "2.2.9"))
    assert (rows(made), routes(made)) == ({"[m.test]": "MUST"}, {"a.test": "smtp:[m.test]"})


def test_a_next_hop_in_brackets_needs_no_route():
    made = table_of([domain("[m.test]:587", mx("m.test"), name="m.test", brackets=True, port=587)], wish("transport"))
    assert (rows(made), routes(made)) == ({"[m.test]:587": "secure match=nexthop"}, {})


def test_an_address_in_brackets_is_verified_as_the_host():
    made = table_of([domain("[192.0.2.1]", mx("192.0.2.1"), name="192.0.2.1", brackets=True)], wish("transport"))
    assert rows(made) == {"[192.0.2.1]": "verify"}


def test_an_address_in_brackets_has_no_line_before_3_6():
    own = domain("[192.0.2.1]", mx("192.0.2.1"), name="192.0.2.1", brackets=True)
    made = table_of([own], wish("transport", version="3.5"))
    assert (rows(made), [skip.entry for skip in made.skips]) == ({}, ["[192.0.2.1]"])


@pytest.mark.parametrize(
    ("each", "why"),
    [
        (domain("a.test:587", mx("m.test"), port=587), "no recipient domain"),
        (domain("a.test", mx("bad host")), "its MX host bad host is no host name"),
        (domain("a.test", mx("x\nevil.test smtp:[evil]")), "is no host name"),
        (domain("a.test", address({}, host="m.test")), "answered in none"),
        (evidence_of([look(mx("m.test"), days_ago=40)], 1), "too old"),
    ],
)
def test_what_cannot_be_routed(each, why):
    made = table_of([each], wish("transport"))
    assert why in made.skips[0].why
    assert made.lines == made.routes == ()


def test_the_default_version_is_the_one_that_the_tests_ask():
    assert wish().version == DEFAULT_VERSION
