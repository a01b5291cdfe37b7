"""MTA-STS records and policies: the examples of RFC 8461, every alternative of its grammar, and hostile text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mta_sts import MAX_PATTERNS, looks_meant, sts_policy, sts_record
from scanner.policy_facts import StsMode, StsPolicy

EXAMPLE = (
    "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800"
)
"""RFC 8461 section 3.2."""
READ = StsPolicy(StsMode.ENFORCE, 604800, ("mail.example.com", "*.example.net", "backupmx.example.com"))

# --- the record ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z"),
        ("v=STSv1;id=1", "1"),
        ("v=STSv1 ;\tid=Aa0; more=x:/y", "Aa0"),
        ("v=STSv1; more.of_it-2=x; id=" + "a" * 32, "a" * 32),
    ],
)
def test_records_as_the_grammar_wants_them(text, found):
    record = sts_record(["v=spf1 -all", text])
    assert record is not None
    assert (record.id, record.problem) == (found, "")


@pytest.mark.parametrize(
    "text",
    [
        "v=STSv1;",
        "v=STSv1; id=",
        "v=STSv1; id=1-2",
        "v=STSv1; id=" + "1" * 33,
        "v=STSv1; ID=1",
        "v=STSv1; id=1; id=2",
        "v=STSv1; id=1 2",
        "v=STSv1; id=1; x=",
        "v=STSv1; id=1; x",
        "v=STSv1; id=\u00e4",
    ],
)
def test_broken_records_say_why(text):
    record = sts_record([text])
    assert record is not None
    assert record.problem
    assert record.id == ""


def test_none_and_several():
    assert sts_record([]) is None
    assert sts_record(["v=STSv2; id=1"]) is None
    several = sts_record(["v=STSv1; id=1", "v=STSv1; id=2"])
    assert several is not None
    assert "2 records" in several.problem
    assert looks_meant(["v=STSv1,id=1"])
    assert not looks_meant(["v=STSv1; id=1", "v=spf1"])


# --- the policy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_example_with_every_line_end(line_end, end):
    assert sts_policy(EXAMPLE.replace("\n", line_end) + end) == READ


@pytest.mark.parametrize(
    "body",
    [
        "version:STSv1\nmode:enforce\nmx:mail.example.com\nmx:*.example.net\nmx:backupmx.example.com\nmax_age:604800",
        EXAMPLE.replace(": ", ":\t  "),
        EXAMPLE.replace("\n", "  \n"),
        EXAMPLE + "\nx-key: any \u00c3\u00a4 value: with = and ;\n",
        EXAMPLE.replace("mail.example.com", "MAIL.Example.COM"),
        "\n".join(reversed(EXAMPLE.splitlines()[:2])) + EXAMPLE[EXAMPLE.index("\nmx") :],
    ],
)
def test_other_spellings_of_it(body):
    assert sts_policy(body) == READ


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("", "empty"),
        ("mode: enforce\nmx: a.example\nmax_age: 1", "version"),
        (EXAMPLE.replace("STSv1", "STSv2"), "version"),
        (EXAMPLE.replace("STSv1", "stsv1"), "version"),
        (EXAMPLE.replace("enforce", "Enforce"), "mode"),
        (EXAMPLE.replace("mode: enforce\n", ""), "mode"),
        (EXAMPLE.replace("604800", "31557601"), "max_age"),
        (EXAMPLE.replace("604800", "-1"), "max_age"),
        (EXAMPLE.replace("604800", "1w"), "max_age"),
        (EXAMPLE.replace("604800", "00000604800"), "max_age"),
        (EXAMPLE.replace("604800", "\u0661"), "max_age"),
        ("version: STSv1\nmode: testing\nmax_age: 1", "no mx"),
        (EXAMPLE + "\nmx: *", "mx"),
        (EXAMPLE + "\nmx: .", "mx"),
        (EXAMPLE + "\nmx: *.*.example", "mx"),
        (EXAMPLE + "\nmx: a.*.example", "mx"),
        (EXAMPLE + "\nmx: .example.net", "mx"),
        (EXAMPLE + "\nmx: a_b.example.net", "mx"),
        (EXAMPLE + "\nmx: b\u00fccher.example", "mx"),
        (EXAMPLE + "\nmx:", "mx"),
        (EXAMPLE + "\nno colon", "key: value"),
        (EXAMPLE + "\n-key: x", "key: value"),
        (EXAMPLE + "\nkey: a\x00b", "control"),
        (EXAMPLE.replace("\n", "\r"), "control"),
        ("<html>\n<title>404: none</title>", "key: value"),
    ],
)
def test_void_policies_say_why(body, word):
    assert word in sts_policy(body).problem


@pytest.mark.parametrize("age", ["0", "1", "0000000060", "31557600"])
def test_ages(age):
    policy = sts_policy(EXAMPLE.replace("604800", age))
    assert (policy.problem, policy.max_age_s) == ("", int(age))


def test_mode_none_needs_no_hosts():
    policy = sts_policy("version: STSv1\nmode: none\nmax_age: 86400\n")
    assert (policy.problem, policy.mode, policy.mx) == ("", StsMode.NONE, ())


def test_the_first_of_a_repeated_key_counts_and_is_remarked():
    policy = sts_policy(EXAMPLE + "\nmode: none\nmax_age: 5")
    assert (policy.mode, policy.max_age_s) == (StsMode.ENFORCE, 604800)
    assert len(policy.remarks) == 2


def test_blank_lines_are_forgiven_and_remarked():
    policy = sts_policy("\n" + EXAMPLE)
    assert policy.problem == ""
    assert policy.remarks == ("line 1 is empty",)


def test_patterns_are_bounded():
    assert len(sts_policy(EXAMPLE + "\nmx: a.example" * 5000).mx) == MAX_PATTERNS


@given(st.text(max_size=2000))
def test_any_text_is_a_policy_or_has_a_problem(body):
    policy = sts_policy(body)
    assert policy.problem or (policy.mode is not None and policy.max_age_s is not None)


@given(st.text(max_size=60))
def test_any_tail_of_a_policy(tail):
    policy = sts_policy(EXAMPLE + "\n" + tail)
    assert policy.problem or policy.mode is StsMode.ENFORCE


@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_texts_are_read(texts):
    record = sts_record([*texts, *(f"v=STSv1;{text}" for text in texts)])
    assert record is None or bool(record.id) != bool(record.problem)
