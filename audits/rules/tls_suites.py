"""Which cipher suites a server accepts."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from audits.established.tls_abilities import AcceptedSuites
from audits.rules.question import Item, met, rule
from scanner.answers import Fact

SHOWN = 12
"""Suites named in one line of evidence; the record of the endpoint has all."""


class SuitePatterns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """IANA names, or patterns of them with *; what `unless` matches is left out."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def match(self, name: str) -> bool:
        return _any(name, self.patterns) and not _any(name, self.unless)


@rule("CIPHER-001", "Forbidden cipher suites are refused")
def forbidden_suites(seen: AcceptedSuites, wants: SuitePatterns) -> Iterable[Item]:
    """Whether the server refuses every cipher suite that the standard forbids.

    Why it matters: the weakest suite that both sides accept is what an attacker tries to get them to use. On port 25 a
    weak suite is still better than clear text; a standard for opportunistic use says so.

    How to mend it: smtpd_tls_mandatory_ciphers = high (or medium), and smtpd_tls_exclude_ciphers with the classes that
    the evidence names, for example aNULL, eNULL, EXPORT, DES, 3DES, RC4, MD5, kRSA.
    """
    found = [name for name in seen.accepted if wants.match(name)]
    if found:
        yield met(False, "accepted: " + _some(found))
    doubtful = [name for name in sorted(seen.unsettled) if wants.match(name)]
    if seen.all_unsettled:
        yield Item(Fact.NOT_TESTED, "suites were not asked for (--depth standard does)")
    elif doubtful:
        yield Item(Fact.INCONCLUSIVE, "neither accepted nor refused: " + _some(doubtful))
    if not found and not doubtful and not seen.all_unsettled:
        yield met(True, f"none of them among {len(seen.accepted)} accepted")


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
