"""The checks of a table's syntax: what postmap(1) and the daemons warn about, each with its page and two examples."""

from audits.postfix.lint.words import Check, Severity, declare

_SITE = "example.org MUST\n"
_RULE = "/example/ MUST\n"

_PROBLEMS = (
    Check(
        id="table-orphan",
        severity=Severity.ERROR,
        page="A line that begins with white space continues the line before; at the top of a file it continues "
        "nothing, and Postfix ignores it.",
        remedy="Remove the white space before the key.",
        fails=" example.org MUST\nexample.net MUST\n",
        passes=_SITE,
    ),
    Check(
        id="table-no-value",
        severity=Severity.ERROR,
        page="A line without a value is dropped by postmap; a pattern without a result makes each lookup that it "
        "matches fail.",
        remedy="Write a value behind the key.",
        fails="example.org\nexample.net MUST\n",
        passes=_SITE,
    ),
    Check(
        id="table-quote",
        severity=Severity.ERROR,
        page="A double quote protects white space in the key; a line with an unbalanced one is dropped.",
        remedy="Remove the quote: no next-hop and no host name has one.",
        fails='example.org" MUST\nexample.net MUST\n',
        passes=_SITE,
    ),
    Check(
        id="table-not-utf8",
        severity=Severity.ERROR,
        page="With smtputf8_enable = yes a line that is no UTF-8 is dropped.",
        remedy="Save the file as UTF-8.",
        fails="m\udcfcnchen.example MUST\nexample.net MUST\n",
        passes="xn--mnchen-3ya.example MUST\n",
    ),
    Check(
        id="table-colon",
        severity=Severity.ERROR,
        page='The form "key: value" belongs to alias files; here the colon becomes part of the key, which then never '
        "matches.",
        remedy="Remove the colon behind the key.",
        fails="example.org: MUST\n",
        passes=_SITE,
    ),
    Check(
        id="table-pattern",
        severity=Severity.ERROR,
        page="A pattern that does not compile, has no closing delimiter or an unknown flag is skipped with a warning.",
        remedy="Correct the pattern; postmap -q shows whether it matches.",
        fails="/exa[mple/ MUST\n",
        passes=_RULE,
        type="regexp",
    ),
    Check(
        id="table-substitution",
        severity=Severity.ERROR,
        page='A "$" in the result stands for the text of a group; a rule that names no group of its pattern is '
        "skipped.",
        remedy='Write "$$" for a dollar sign, or the number of a group that exists.',
        fails="/(example)/ $2\n",
        passes=_RULE,
        type="regexp",
    ),
    Check(
        id="table-if",
        severity=Severity.ERROR,
        page='An "if" without its "endif" reaches to the end of the file; an "endif" without its "if" is ignored.',
        remedy='Write as many "endif" as "if".',
        fails="if /org$/\n/example/ MUST\n",
        passes="if /org$/\n/example/ MUST\nendif\n",
        type="regexp",
    ),
    Check(
        id="table-extra-text",
        severity=Severity.WARNING,
        page='Text behind the pattern of "if", or behind "endif", is ignored; it is often a rule that was indented '
        'and so became part of the "if" line.',
        remedy="Write the rules between if and endif without white space before them.",
        fails="if /org$/\n  /example/ MUST\nendif\n",
        passes="if /org$/\n/example/ MUST\nendif\n",
        type="regexp",
    ),
    Check(
        id="table-unrecognized",
        severity=Severity.ERROR,
        page="A line of a pattern table begins with a delimiter, with if or with endif; every other line is ignored.",
        remedy="Put the pattern between slashes, or make the table a hash: table.",
        fails="example.org MUST\n/example/ MUST\n",
        passes=_RULE,
        type="regexp",
    ),
)
SYNTAX = {check.id.removeprefix("table-"): declare(check) for check in _PROBLEMS}
"""The checks by the code of the problem that a table reports."""

UNSUPPORTED = declare(
    Check(
        id="table-unsupported",
        severity=Severity.ERROR,
        page="A pattern uses a construct that this program does not translate, so it cannot say what Postfix would do.",
        remedy="Use a simpler pattern, or judge the table with postmap -q.",
        fails="/(ex)\\1ample/ MUST\n",
        passes=_RULE,
        type="regexp",
    )
)
DUPLICATE = declare(
    Check(
        id="table-duplicate",
        severity=Severity.ERROR,
        page="Of two entries with the same key (case does not matter) only the first is kept in an indexed file, with "
        "a warning of postmap; smtp(8) cannot open a texthash: table that has such a pair; in an inline: table the "
        "last one counts.",
        remedy="Keep one of the two lines.",
        fails="example.org MUST\nExample.ORG NONE\n",
        passes=_SITE,
    )
)
