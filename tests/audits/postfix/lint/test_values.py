"""Values of both kinds of table."""

from audits.postfix.lint import Kind, Severity, lint_table
from audits.postfix.parameters import parse_version


def test_a_modern_word_is_told_its_old_name() -> None:
    (message,) = lint_table("example.org verify\n", "t", Kind.PER_SITE)
    assert message.message == '"verify" is no policy; verify is called MUST here'


def test_a_line_that_swallowed_the_next_one_is_told_so() -> None:
    (message,) = lint_table("example.org MUST\n example.net NONE\n", "t", Kind.PER_SITE)
    assert message.message == (
        '"MUST example.net NONE" is no policy; line 2 begins with white space and so continues line 1'
    )


def test_a_comment_is_named_as_such_and_nothing_else_is() -> None:
    for kind, value in ((Kind.PER_SITE, "MUST"), (Kind.POLICY_MAPS, "verify")):
        assert [m.id for m in lint_table(f"example.org {value} # why\n", "t", kind)] == ["value-comment"]


def test_all_keywords_pass_in_any_case() -> None:
    text = "a NONE\nb may\nc Must_NoPeerMatch\nd MUST\n"
    assert lint_table(text, "t", Kind.PER_SITE) == ()


def test_values_of_patterns_are_checked_too() -> None:
    text = "/a/ MUST\n/b/ TLS\n/(MUST|MAY)\\.example$/ $1\n"
    assert [(m.line, m.id) for m in lint_table(text, "t", Kind.PER_SITE, type="pcre")] == [(2, "site-value")]


def test_attributes_follow_the_version() -> None:
    text = "example.org secure match=nexthop enable_rpk=yes\n"
    old = lint_table(text, "t", Kind.POLICY_MAPS, parse_version("3.8"))
    assert [(m.id, m.message) for m in old] == [
        ("policy-unknown-attribute", 'there is no attribute "enable_rpk" before Postfix 3.9')
    ]
    assert lint_table(text, "t", Kind.POLICY_MAPS, parse_version("3.9")) == ()


def test_several_findings_in_one_entry() -> None:
    text = "example.org encrypt ciphers=strong protocols=TLSv1 exclude=CBC3-SHA:EXPORT\n"
    messages = lint_table(text, "t", Kind.POLICY_MAPS)
    assert [(m.id, m.severity) for m in messages] == [
        ("policy-ciphers", Severity.ERROR),
        ("policy-exclude", Severity.ERROR),
        ("policy-exclude", Severity.INFO),
        ("policy-protocols", Severity.ERROR),
    ]


def test_main_cf_may_supply_the_fingerprints() -> None:
    messages = lint_table("example.org fingerprint\n", "t", Kind.POLICY_MAPS)
    assert [m.severity for m in messages] == [Severity.WARNING]
