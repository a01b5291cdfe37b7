"""Which names satisfy the match= of a policy (postconf(5), smtp_tls_verify_cert_match, smtp_tls_secure_cert_match)."""

from collections.abc import Iterable, Iterator

from audits.postfix.tls_levels import TlsLevel

DEFAULT_MATCH = {TlsLevel.VERIFY: ("hostname",), TlsLevel.SECURE: ("nexthop", "dot-nexthop")}
"""The built-in values."""


def matches(patterns: Iterable[str], next_hop: str, host: str, names: Iterable[str]) -> bool:
    """Whether one of the certificate's names satisfies one of the patterns for mail to `next_hop` over `host`."""
    presented = [name.lower() for name in names]
    return any(_covers(name, pattern) for pattern in _expanded(patterns, next_hop, host) for name in presented)


def _expanded(patterns: Iterable[str], next_hop: str, host: str) -> Iterator[str]:
    """The keywords stand for names; ".name" stands for all names below it."""
    words = {"hostname": host, "nexthop": next_hop, "dot-nexthop": f".{next_hop}"}
    return (words.get(pattern.lower(), pattern).lower() for pattern in patterns)


def _covers(name: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return name.endswith(pattern) and len(name) > len(pattern)
    if name.startswith("*."):
        return "." in pattern and pattern.partition(".")[2] == name[2:]
    return name == pattern
