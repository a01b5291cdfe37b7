"""Lint of the keys of TLS policy tables: keys that no next-hop and no host name can equal (TLS_README, postmap(1))."""

import re

from audits.postfix.hostnames import a_labels
from audits.postfix.lint.rows import Row
from audits.postfix.lint.words import TABLE_KINDS, Found, Kind, Rules, Severity

RULES = Rules(*TABLE_KINDS)
_TRANSPORT = re.compile(r"(?:smtp|lmtp|relay|[A-Za-z][A-Za-z0-9_-]*):\[")
_PORT = re.compile(r"[^\[\]:]+:[A-Za-z0-9]+")
_BRACKETS = re.compile(r"\[[^\[\]]+\](?::[^:\s]+)?")


@RULES.check(
    "key-trailing-dot",
    Severity.ERROR,
    fails="example.org. MUST\n",
    passes="example.org MUST\n",
    remedy="Remove the dot.",
)
def trailing_dot(row: Row) -> Found:
    """smtp(8) looks up names without the final dot, so a key with one never matches."""
    if row.key.endswith("."):
        yield row.line, f'the key "{row.key}" ends with a dot and never matches'


@RULES.check(
    "key-transport",
    Severity.ERROR,
    fails="smtp:[mail.example.org] MUST\n",
    passes="[mail.example.org]:587 MUST\n",
    remedy="Write the next-hop alone: what stands behind the transport's name and its colon.",
)
def transport(row: Row) -> Found:
    """The lookup key is the next-hop without the name of the transport, although the documents of 2.2.9 show
    "smtp:[mailhost]:port" as a key."""
    if _TRANSPORT.match(row.key):
        yield row.line, f'the key "{row.key}" begins with a transport and never matches'


@RULES.check(
    "key-brackets",
    Severity.INFO,
    fails="[smtp.example.com] NONE\n",
    passes="smtp.example.com NONE\n",
    remedy="To reach an MX host by its name, write it without brackets (smtp_tls_per_site only).",
)
def brackets(row: Row) -> Found:
    """A key in brackets matches the next-hop in the same spelling, with the same port or none: a relayhost or a
    transport entry. It never matches an MX host, although the documents of 2.2.9 show "[smtp.example.com] NONE"
    "for the host"."""
    if _BRACKETS.fullmatch(row.key):
        yield row.line, f'the key "{row.key}" matches only a next-hop written in exactly this way, never an MX host'


@RULES.check(
    "key-port",
    Severity.INFO,
    fails="mail.example.org:587 MUST\n",
    passes="mail.example.org MUST\n",
    remedy="Write the key as the transport table or relayhost writes the next-hop.",
)
def port(row: Row) -> Found:
    """A key with a port matches only a next-hop with exactly this port; neither the domain alone nor its MX hosts."""
    if _PORT.fullmatch(row.key):
        yield row.line, f'the key "{row.key}" matches only a next-hop with this port'


@RULES.check(
    "key-wildcard",
    Severity.ERROR,
    fails="*.example.org MUST\n",
    passes="www.example.org MUST\n",
    remedy="List the names one by one, or use smtp_tls_policy_maps, where .example.org stands for all subdomains.",
)
def wildcard(row: Row) -> Found:
    """No table of TLS policies knows "*". smtp_tls_per_site knows no parent domains either: one exact lookup, no more;
    ".example.org" matches in smtp_tls_policy_maps only."""
    if "*" in row.key:
        yield row.line, f'the key "{row.key}" has a "*", which stands for itself and never matches'
    elif row.key.startswith(".") and row.kind is Kind.PER_SITE:
        yield row.line, f'the key "{row.key}" begins with a dot, which smtp_tls_per_site does not know'


@RULES.check(
    "key-u-label",
    Severity.WARNING,
    fails="bücher.example MUST\n",
    passes="xn--bcher-kva.example MUST\n",
    remedy="Add the A-label as a second entry.",
)
def u_label(row: Row) -> Found:
    """A key with letters beyond ASCII matches only a recipient domain that was written in this way; an MX host, and
    a recipient in A-labels, are looked up in A-labels."""
    if row.key and not row.key.isascii():
        name = a_labels(row.key.lstrip("."))
        also = f"; its A-label is {'.' if row.key.startswith('.') else ''}{name}" if name else ""
        yield row.line, f'the key "{row.key}" matches no name in A-labels{also}'


@RULES.check(
    "key-address",
    Severity.ERROR,
    fails="postmaster@example.org MUST\n",
    passes="example.org MUST\n",
    remedy="Write the domain alone.",
)
def address(row: Row) -> Found:
    """A TLS policy belongs to a next-hop or a host, never to a mail address."""
    if "@" in row.key:
        yield row.line, f'the key "{row.key}" is a mail address and never matches'


@RULES.check(
    "key-pattern",
    Severity.ERROR,
    fails="/\\.example\\.org$/ MUST\n",
    passes="www.example.org MUST\n",
    remedy="Make the table a regexp: or pcre: table, or list the names.",
)
def pattern(row: Row) -> Found:
    """A pattern in a table of fixed keys is a key of its own letters."""
    if len(row.key) > 1 and row.key.startswith("/"):
        yield row.line, f'the key "{row.key}" is a pattern, but this table has fixed keys'


@RULES.check(
    "key-not-a-name",
    Severity.ERROR,
    fails='"example.org" MUST\n',
    passes="example.org MUST\n",
    remedy="Write the next-hop or the host name alone.",
)
def not_a_name(row: Row) -> Found:
    """White space, quotes, commas and slashes are in no next-hop and in no host name."""
    if row.key and not row.key.startswith("/") and any(char in ' \t",;/\\<>' for char in row.key):
        yield row.line, f'the key "{row.key}" can be no next-hop and no host name'
