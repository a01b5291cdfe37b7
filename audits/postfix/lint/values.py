"""Lint of the values of TLS policy tables: the keywords of smtp_tls_per_site, the entries of smtp_tls_policy_maps."""

from audits.postfix.lint.ciphers import exclusion_findings, is_grade
from audits.postfix.lint.protocols import protocol_findings
from audits.postfix.lint.rows import Row
from audits.postfix.lint.words import TABLE_KINDS, Check, Found, Kind, Rules, Severity, declare
from audits.postfix.policy_map import PolicyEntry, parse_entry
from audits.postfix.resolve import is_fingerprint
from audits.postfix.tls_levels import TLS_LEVEL_OF, TlsLevel, per_site_value, tls_level

BOTH = Rules(*TABLE_KINDS)
SITE = Rules(Kind.PER_SITE)
POLICY = Rules(Kind.POLICY_MAPS)


def has_comment(row: Row) -> bool:
    """A "#" in the value: text that was meant as a comment."""
    return "#" in row.value


@BOTH.check(
    "value-comment",
    Severity.ERROR,
    fails="example.org MUST # their relay\n",
    passes="# their relay\nexample.org MUST\n",
    remedy="Put the comment on a line of its own above the entry.",
)
def comment(row: Row) -> Found:
    """Only whole lines are comments. Behind a value, "#" and the text after it become part of the value, which then is
    no policy at all: smtp(8) defers all mail to the destination (4.7.5)."""
    if has_comment(row):
        yield row.line, f'the comment has become part of the value "{row.value}"'


@SITE.check(
    "site-value",
    Severity.ERROR,
    fails="example.org encrypt\n",
    passes="example.org MUST_NOPEERMATCH\n",
    remedy="Write NONE, MAY, MUST_NOPEERMATCH or MUST, and nothing behind it.",
)
def site_value(row: Row) -> Found:
    """A value that smtp_tls_per_site does not know: Postfix 3 skips the host and defers the mail (4.7.5); Postfix 2.2
    ignored the entry with a warning."""
    if row.computed or has_comment(row) or per_site_value(row.value) is not None:
        return
    meant = next((old for old, level in TLS_LEVEL_OF.items() if level is tls_level(row.value)), None)
    hint = f"; {row.value} is called {meant} here" if meant else ""
    if row.last > row.line:
        hint += f"; line {row.last} begins with white space and so continues line {row.line}"
    yield row.line, f'"{row.value}" is no policy{hint}'


_ENTRY_ERRORS = {
    "empty": ("An entry needs a level.", "example.org ,\n"),
    "level": ("The first word must be a level that this version of Postfix knows.", "example.org MUST\n"),
    "malformed": (
        "Attributes are name=value without white space around it.",
        "example.org encrypt ciphers = high\n",
    ),
    "unknown-attribute": ("An attribute that this version does not know.", "example.org encrypt enable_rpk=yes\n"),
    "empty-attribute": ("ciphers, match and tafile need a value.", "example.org secure match=\n"),
    "repeated": ("Most attributes may occur once only.", "example.org encrypt ciphers=high ciphers=high\n"),
    "misplaced": ("match and tafile are allowed only where a certificate is checked.", "example.org encrypt match=x\n"),
    "bad-value": ("An attribute with a value that Postfix cannot use.", "example.org may servername=[mx]\n"),
}
_REMEDIES = {
    "empty": "Write a level: none, may, encrypt, dane, dane-only, fingerprint, verify or secure.",
    "level": "Write none, may, encrypt, dane, dane-only, fingerprint, verify or secure.",
    "malformed": "Write name=value, with colons between several values.",
    "unknown-attribute": "Remove the attribute, or name the Postfix version that will read the table.",
    "empty-attribute": "Write the value, or remove the attribute.",
    "repeated": "Keep one; separate several values by colons.",
    "misplaced": "Use the level verify or secure (for match also fingerprint), or remove the attribute.",
    "bad-value": "Correct the value.",
}
ENTRY_ERRORS: dict[str, Check] = {
    code: declare(
        Check(
            id=f"policy-{code}",
            severity=Severity.ERROR,
            kinds=(Kind.POLICY_MAPS,),
            page=f"{page} smtp(8) refuses the entry, skips the host and defers the mail (4.7.5).",
            remedy=_REMEDIES[code],
            fails=fails,
            passes="example.org secure match=nexthop ciphers=high\n",
        )
    )
    for code, (page, fails) in _ENTRY_ERRORS.items()
}


def entry_of(row: Row) -> PolicyEntry:
    """The row's value, parsed for its version."""
    return parse_entry(row.value, row.version)


@POLICY.check(
    "policy-ignored",
    Severity.WARNING,
    fails="example.org none ciphers=high\n",
    passes="example.org none\n",
    remedy="Remove the attributes.",
)
def ignored(row: Row) -> Found:
    """At the level none there is no TLS, so attributes are ignored with a warning at every delivery."""
    for warning in entry_of(row).warnings:
        yield row.line, warning


@POLICY.check(
    "policy-protocols",
    Severity.ERROR,
    fails="example.org encrypt protocols=TLSv1\n",
    passes="example.org encrypt protocols=>=TLSv1.2\n",
    remedy='Write ">=TLSv1.2" (Postfix 3.6 and later) or "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1".',
)
def protocols(row: Row) -> Found:
    """The attribute protocols replaces smtp_tls_(mandatory_)protocols for the destination; an unknown word makes every
    TLS session fail, and a list that leaves only old versions fails with every server of today."""
    for value in entry_of(row).values("protocols"):
        for sentence, severity in protocol_findings(value, row.version):
            yield row.line, sentence, severity


@POLICY.check(
    "policy-ciphers",
    Severity.ERROR,
    fails="example.org encrypt ciphers=strong\n",
    passes="example.org encrypt ciphers=high\n",
    remedy="Write high or medium.",
)
def ciphers(row: Row) -> Found:
    """The attribute ciphers takes a grade, not a list: every other word makes every TLS session fail."""
    for value in entry_of(row).values("ciphers"):
        if not is_grade(value):
            yield row.line, f'"{value}" is no cipher grade'


@POLICY.check(
    "policy-exclude",
    Severity.ERROR,
    fails="example.org encrypt exclude=EDH-RSA-DES-CDC3-SHA\n",
    passes="example.org encrypt exclude=aNULL:MD5\n",
    remedy="Write the names as OpenSSL spells them; case counts.",
)
def exclude(row: Row) -> Found:
    """A name that OpenSSL does not know excludes nothing, and nobody is told. A name behind a sign, such as "!aNULL",
    makes every TLS session fail."""
    for value in entry_of(row).values("exclude"):
        for sentence, severity in exclusion_findings(value):
            yield row.line, sentence, severity


@POLICY.check(
    "policy-no-fingerprint",
    Severity.WARNING,
    fails="example.org fingerprint\n",
    passes="example.org fingerprint match=3D:95:34:51\n",
    remedy="Add match= with the fingerprint, or set smtp_tls_fingerprint_cert_match.",
)
def no_fingerprint(row: Row) -> Found:
    """Without a match attribute the fingerprints of main.cf count; where that has none either, mail is deferred."""
    entry = entry_of(row)
    if entry.level is TlsLevel.FINGERPRINT and not entry.error and not entry.values("match"):
        yield row.line, "the level fingerprint has no fingerprint here"


@POLICY.check(
    "policy-fingerprint",
    Severity.ERROR,
    fails="example.org fingerprint match=3D:95:zz\n",
    passes="example.org fingerprint match=3D:95:34:51\n",
    remedy='Write pairs of hexadecimal digits with colons between them, and "|" between several fingerprints.',
)
def fingerprint(row: Row) -> Found:
    """What is no hexadecimal text never matches; where nothing else is listed, mail is deferred."""
    entry = entry_of(row)
    words = [word for value in entry.values("match") for word in value.split("|")]
    if entry.level is TlsLevel.FINGERPRINT and not entry.error:
        for word in words:
            if not is_fingerprint(word):
                yield row.line, f'"{word}" is no fingerprint'


@POLICY.check(
    "policy-match-hostname",
    Severity.WARNING,
    fails="example.org secure match=hostname\n",
    passes="example.org secure match=nexthop:dot-nexthop\n",
    remedy="Match nexthop, dot-nexthop or a name that you know, or call the level verify.",
)
def match_hostname(row: Row) -> Found:
    """The strategy hostname trusts the name that an unsigned MX record gives, which secure is meant to avoid."""
    entry = entry_of(row)
    names = [name.lower() for value in entry.values("match") for name in value.split(":")]
    if entry.level is TlsLevel.SECURE and "hostname" in names:
        yield row.line, "match=hostname makes secure as weak as verify: a false MX record can pass it"
