"""Tables beside the facts of a scan: what is said, of which line, and what is not."""

import pytest

from audits.policy_table.looks import Rung, Way
from audits.postfix.lint import Kind, Severity
from audits.postfix.lint.facts import concerned, fact_table
from audits.postfix.lint.rows import table_rows
from audits.postfix.tls_levels import TlsLevel
from scanner.facts import Fact, RouteStatus
from tests.audits.policy_table.look_factory import address, facts, look
from tests.audits.sample_records import HOSTILE, OBEYED

from .fact_lines import lint_beside, looks_of

TWO = looks_of("a.test m1.test MUST\na.test m2.test MUST_NOPEERMATCH\n")


def found(text, looks, kind=Kind.PER_SITE, level=None):
    """Line, id and severity, without the note on unsigned names."""
    messages = lint_beside(text, kind, looks, level)
    return [(m.line, m.id, m.severity) for m in messages if m.id != "facts-loophole"]


# --- lines that fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("best", "value", "fails"),
    [
        ("NONE", "MAY", True),
        ("NONE", "NONE", False),
        ("MAY", "MUST_NOPEERMATCH", True),
        ("MAY", "MAY", False),
        ("MUST_NOPEERMATCH", "MUST", True),
        ("MUST_NOPEERMATCH", "must_nopeermatch", False),
        ("MUST", "MUST", False),
    ],
)
def test_a_line_that_fails_today(best, value, fails):
    looks = looks_of(f"a.test m.test {best}\n")
    expected = [(1, "facts-fails", Severity.ERROR)] if fails else []
    assert found(f"a.test {value}\n", looks) == expected
    assert found(f"m.test {value}\n", looks) == expected


def test_where_another_host_takes_the_mail_it_is_a_warning():
    assert found("a.test MUST\n", TWO) == [(1, "facts-fails", Severity.WARNING)]
    (message, *_) = lint_beside("a.test MUST\n", Kind.PER_SITE, TWO)
    assert "MUST fails today at m2.test, an MX host of a.test: certificate-expired: " in message.message


def test_a_host_that_refuses_starttls_sends_the_mail_back_whatever_the_others_do():
    refusal = {Rung.MUST_NOPEERMATCH: "starttls-refused: 502", Rung.MUST: "starttls-refused: 502"}
    refusing = address(facts(Rung.MAY), host="m2.test", at="192.0.2.2", reasons=refusal)
    looks = (look(address(host="m1.test"), refusing, entry="a.test", name="a.test"),)
    assert found("a.test MUST_NOPEERMATCH\n", looks) == [(1, "facts-fails", Severity.ERROR)]
    assert found("a.test MAY\n", looks) == []


def test_only_signed_mx_records_and_brackets_close_the_loophole_for_must():
    """That today's certificate names the domain, or a policy its hosts, does not: MUST compares the host alone."""

    def noted(line, **more):
        looks = (look(address(host="m.test"), entry="a.test", name="a.test", **more),)
        return "facts-loophole" in {each.id for each in lint_beside(line, Kind.POLICY_MAPS, looks)}

    known = {way: {**dict.fromkeys(Way, Fact.NO), way: Fact.YES} for way in Way}
    assert [noted("a.test verify\n", ways=known[way]) for way in (Way.DNSSEC, Way.STS, Way.NEXTHOP)] == [0, 1, 1]
    assert not noted("a.test verify match=m.test\n")
    assert not noted("a.test verify\n", status=RouteStatus.NEXT_HOP)


def test_the_greater_value_decides_and_its_line_is_named():
    assert found("a.test MAY\nm2.test MUST\n", TWO)[0] == (2, "facts-fails", Severity.WARNING)
    assert found("a.test MUST\nm2.test NONE\n", TWO) == [(1, "facts-fails", Severity.WARNING)]


def test_what_nobody_answered_is_neither_right_nor_wrong():
    silent = (look(address({}, host="m.test"), entry="a.test", name="a.test"),)
    unknown = (look(address(facts(unknown=[Rung.MUST]), host="m.test"), entry="a.test", name="a.test"),)
    assert found("a.test MUST\n", silent) == found("a.test MUST\n", unknown) == []


def test_many_domains_behind_one_host_make_one_message():
    looks = looks_of("".join(f"d{number}.test m.test MAY\n" for number in range(5)))
    (message,) = lint_beside("m.test MUST\n", Kind.PER_SITE, looks)
    assert "an MX host of d0.test (and 4 more domains)" in message.message


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        ("none", False),
        ("may", False),
        ("encrypt ciphers=high", False),
        ("verify", True),
        ("verify match=other.test", False),
        ("verify match=hostname:.other.test", True),
        ("secure", True),
        ("secure match=.test", False),
        ("secure match=nexthop tafile=/ca.pem", False),
        ("fingerprint match=AA", False),
        ("dane", False),
        ("dane-only", True),
        ("verify servername=hostname", True),
        ("verify servername=else.test", False),
    ],
)
def test_levels_of_policy_maps(value, fails):
    """A trusted certificate of other.test on m.test, without TLSA records; with SNI it shows the same."""
    said = facts(Rung.MUST_NOPEERMATCH) | {
        Rung.DANE: Fact.NO, Rung.DANE_OR_LESS: Fact.YES, Rung.DANE_ONLY: Fact.NO, Rung.MUST_BY_NAME: Fact.NO
    }  # fmt: skip
    reasons = {Rung.MUST: "certificate-host-mismatch: m.test is not among: other.test"}
    there = address(said, host="m.test", reasons=reasons, names=("other.test",), trusted=True)
    looks = (look(there, entry="a.test", name="a.test"),)
    errors = [each for each in found(f"a.test {value}\n", looks, Kind.POLICY_MAPS) if each[1] == "facts-fails"]
    assert bool(errors) == fails


@pytest.mark.parametrize(("signed", "fails"), [(Fact.YES, True), (Fact.NO, False)])
def test_dane_behind_unsigned_mx_records_may_be_no_more_than_may(signed, fails):
    """What smtp_tls_dane_insecure_mx_policy says, the table does not tell."""
    said = facts() | {Rung.DANE: Fact.NO, Rung.DANE_OR_LESS: Fact.NO}
    looks = (look(address(said, host="m.test"), entry="a.test", name="a.test", ways={Way.DNSSEC: signed}),)
    assert bool(found("a.test dane\n", looks, Kind.POLICY_MAPS)) == fails


def test_secure_wants_the_next_hop_where_verify_wants_the_host():
    looks = looks_of("a.test m.else.test MUST\n")
    assert found("a.test verify\n", looks, Kind.POLICY_MAPS) == []
    (message,) = lint_beside("a.test secure\n", Kind.POLICY_MAPS, looks)
    assert "secure fails today" in message.message
    assert "none of nexthop:dot-nexthop is among: m.else.test" in message.message


def test_an_address_is_not_looked_for_among_the_names():
    """The certificate names it as an iPAddress, which the names of the facts do not hold."""
    there = address(host="192.0.2.1", names=("mx.test",))
    looks = (look(there, entry="[192.0.2.1]", name="192.0.2.1", brackets=True),)
    assert found("[192.0.2.1] secure match=nexthop\n", looks, Kind.POLICY_MAPS) == []


def test_a_parent_key_concerns_the_domains_below_it():
    assert found(".test encrypt\n", looks_of("a.test m.test MAY\n"), Kind.POLICY_MAPS) == [
        (1, "facts-fails", Severity.ERROR)
    ]


def test_values_that_are_none_are_left_to_other_checks():
    for kind in (Kind.PER_SITE, Kind.POLICY_MAPS):
        assert found("a.test nonsense\nm1.test MUST # x\n", TWO, kind)[:1] in ([], [(2, "facts-host-key", "warning")])


# --- clear text ----------------------------------------------------------------------------------------------------


def test_none_over_servers_that_take_tls():
    (message,) = lint_beside("a.test NONE\n", Kind.PER_SITE, TWO)
    assert message.message == "mail goes in clear to m1.test, an MX host of a.test, which sustains MUST"
    assert message.severity is Severity.WARNING
    assert found("m2.test NONE\n", TWO) == [(1, "facts-clear", Severity.WARNING)]
    assert found("a.test NONE\n", looks_of("a.test m.test MAY\n")) == []
    assert found("a.test none\n", TWO, Kind.POLICY_MAPS) == [(1, "facts-clear", Severity.WARNING)]


def test_a_host_entry_leaves_the_other_hosts_open():
    assert found("m1.test MUST\n", TWO) == [(1, "facts-other-hosts", Severity.WARNING)]
    assert found("m1.test MUST\nm2.test MUST_NOPEERMATCH\n", TWO) == []
    assert found("m1.test MUST\na.test MUST_NOPEERMATCH\n", TWO) == []
    assert found("m1.test MUST\n", TWO, level=TlsLevel.ENCRYPT) == []
    assert found("m1.test MUST\n", TWO, level=TlsLevel.MAY) == [(1, "facts-other-hosts", Severity.WARNING)]
    assert found("m1.test MAY\n", TWO) == []


def test_a_host_that_did_not_answer_is_open_too():
    silent = look(address(host="m1.test"), address({}, host="m2.test", at="192.0.2.2"), entry="a.test", name="a.test")
    assert found("m1.test MUST\n", (silent,)) == [(1, "facts-other-hosts", Severity.WARNING)]


# --- names ---------------------------------------------------------------------------------------------------------


def test_a_host_is_no_key_of_policy_maps():
    assert found("m1.test encrypt\n", TWO, Kind.POLICY_MAPS) == [(1, "facts-host-key", Severity.WARNING)]
    own = looks_of("a.test a.test MUST\n")
    assert found("a.test encrypt\n", own, Kind.POLICY_MAPS) == []


def test_names_from_unsigned_mx_records_are_a_note():
    (note,) = lint_beside("a.test MUST\n", Kind.PER_SITE, looks_of("a.test m.test MUST\n"))
    assert (note.id, note.severity) == ("facts-loophole", Severity.INFO)
    for fact in (Fact.YES, Fact.INCONCLUSIVE):
        known = look(address(host="m.test"), entry="a.test", name="a.test", ways={Way.DNSSEC: fact})
        assert lint_beside("a.test MUST\n", Kind.PER_SITE, (known,)) == ()


def test_only_looks_that_a_row_can_be_about_are_kept():
    rows, _ = table_rows("A.test MUST\n", "table", Kind.PER_SITE)
    others = looks_of("b.test m.test MUST\n")
    assert list(concerned((*TWO, *others), rows)) == list(TWO)
    assert list(concerned(others, table_rows("M.TEST MUST\n", "table", Kind.PER_SITE)[0])) == list(others)


def test_a_pattern_table_has_no_keys_to_judge():
    rows, _ = table_rows("/a/ MUST\n", "table", Kind.PER_SITE, "pcre")
    assert list(concerned(TWO, rows)) == []
    assert fact_table(rows, Kind.PER_SITE, TWO).met == ()


def test_hostile_words_are_escaped():
    bad = address(facts(Rung.MAY), host=HOSTILE, names=(HOSTILE,))
    looks = (look(bad, address(facts(Rung.MAY), host="m.test", at="192.0.2.2"), entry="a.test", name="a.test"),)
    for message in (*lint_beside("a.test MUST\nm.test MUST\n", Kind.PER_SITE, looks),
                    *lint_beside("a.test secure\n", Kind.POLICY_MAPS, looks)):  # fmt: skip
        assert not [char for char in (*OBEYED, "\n") if char in str(message)]
