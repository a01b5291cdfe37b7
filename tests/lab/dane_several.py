"""Domains with several MX hosts under DANE; each host is that of a state, which stands alone as a domain, too."""

from msgspec import Struct

ELSEWHERE = {"host-unsigned": "host-unsigned.example"}
"""States whose MX host is not mx.NAME.test."""


class SeveralHosts(Struct, frozen=True):
    """A domain and its hosts, as pairs of preference and the name of a state."""

    domain: str
    hosts: tuple[tuple[int, str], ...]

    @property
    def alone(self) -> tuple[str, ...]:
        """The domains that have one of these hosts each."""
        return tuple(f"{name}.test" for _, name in self.hosts)

    def zone_lines(self) -> list[str]:
        named = ((preference, ELSEWHERE.get(name, f"mx.{name}.test")) for preference, name in self.hosts)
        return [f"{self.domain}. MX {preference} {host}." for preference, host in named]


def several(name: str, *hosts: str) -> SeveralHosts:
    """Hosts in order of preference; "=" before a host gives it the preference of the host before it."""
    pairs: list[tuple[int, str]] = []
    for host in hosts:
        preference = pairs[-1][0] if host.startswith("=") else 10 * len(pairs) + 10
        pairs.append((preference, host.removeprefix("=")))
    return SeveralHosts(f"several-{name}.test", tuple(pairs))


SEVERAL_HOSTS = (
    several("match-match", "ee-spki", "ta-issuer"),
    several("match-mismatch", "ee-spki", "ee-mismatch"),
    several("mismatch-match", "ee-mismatch", "ee-spki"),
    several("equal-match-mismatch", "ee-spki", "=ee-mismatch"),
    several("mismatch-mismatch-match", "ee-mismatch", "ee-of-issuer", "ee-spki"),
    several("match-missing", "ee-spki", "no-tlsa"),
    several("missing-match", "no-tlsa", "ee-spki"),
    several("missing-missing", "no-tlsa", "no-tlsa-expired"),
    several("match-unsigned", "ee-spki", "host-unsigned"),
    several("unsigned-match", "host-unsigned", "ee-spki"),
    several("unusable-match", "pkix-ee-only", "ee-spki"),
    several("match-no-starttls", "ee-spki", "no-starttls-tlsa"),
    several("no-starttls-match", "no-starttls-tlsa", "ee-spki"),
    several("missing-clear", "no-tlsa", "no-starttls"),
    several("match-bogus", "ee-spki", "tlsa-bogus"),
    several("bogus-match", "tlsa-bogus", "ee-spki"),
    several("servfail-match", "tlsa-servfail", "ee-spki"),
    several("alias-match", "cname-secure", "ee-sha512"),
    several("four", "ee-spki", "ee-rsa", "=ta-issuer", "ee-rollover"),
)
