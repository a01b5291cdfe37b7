"""Which cipher suites a server accepts."""

from collections.abc import Iterable

import msgspec

from audits.established.tls_abilities import AcceptedSuites
from audits.rules.question import Item, met, rule
from audits.rules.suite_patterns import SuitePatterns, among, matches, some
from scanner.answers import Fact


class SuitesAtLeast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Suites (or patterns) of which one must be accepted; `versions`: asked only where one of these is spoken."""

    any_of: tuple[str, ...]
    versions: tuple[str, ...] = ()


class SuiteLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of people's own classes of suites, each with its patterns."""

    classes: dict[str, tuple[str, ...]]


@rule("CIPHER-001", "Forbidden cipher suites are refused")
def forbidden_suites(seen: AcceptedSuites, wants: SuitePatterns) -> Iterable[Item]:
    """Whether the server refuses every cipher suite that the standard forbids.

    Why it matters: the weakest suite that both sides accept is what an attacker tries to get them to use. On port 25 a
    weak suite is still better than clear text; a standard for opportunistic use says so.

    How to mend it: smtpd_tls_mandatory_ciphers = high (or medium), and smtpd_tls_exclude_ciphers with the classes that
    the evidence names, for example aNULL, eNULL, EXPORT, DES, 3DES, RC4, MD5, kRSA.
    """
    found = wants.among(seen.accepted)
    if found:
        yield met(False, "accepted: " + some(found))
    doubtful = sorted(wants.among(seen.unsettled))
    if seen.all_unsettled:
        yield Item(Fact.NOT_TESTED, "suites were not asked for (--depth standard does)")
    elif doubtful:
        yield Item(Fact.INCONCLUSIVE, "neither accepted nor refused: " + some(doubtful))
    if not found and not doubtful and not seen.all_unsettled:
        yield met(True, f"none of them among {len(seen.accepted)} accepted")


@rule("CIPHER-002", "Only listed cipher suites are accepted")
def listed_suites(seen: AcceptedSuites, wants: SuitePatterns) -> Iterable[Item]:
    """Whether every suite that the server accepts stands on the list of the standard.

    Why it matters: a closed list also excludes what nobody thought of when it was written.

    How to mend it: tls_high_cipherlist with the OpenSSL names of the listed suites, together with
    smtpd_tls_mandatory_ciphers = high and smtpd_tls_ciphers = high. The suites of TLS 1.3 cannot be chosen in Postfix:
    they follow openssl.cnf (Ciphersuites).
    """
    listed = {*wants.among(seen.accepted), *wants.among(seen.unsettled)}
    foreign = [name for name in seen.accepted if name not in listed]
    if foreign:
        yield met(False, "accepted, and not listed: " + some(foreign))
    doubtful = sorted(seen.unsettled - listed)
    if seen.all_unsettled:
        yield Item(Fact.NOT_TESTED, "suites were not asked for (--depth standard does)")
    elif doubtful:
        yield Item(Fact.INCONCLUSIVE, "not listed, neither accepted nor refused: " + some(doubtful))
    if not foreign and not doubtful and not seen.all_unsettled:
        yield met(True, f"all {len(seen.accepted)} accepted are listed: " + some(list(seen.accepted)))


@rule("CIPHER-003", "A recommended cipher suite is accepted")
def recommended_suite(seen: AcceptedSuites, wants: SuitesAtLeast) -> Iterable[Item]:
    """Whether the server accepts at least one of the suites that the standard wants everywhere.

    Why it matters: two sides that both follow the standard must have a suite in common.

    How to mend it: look whether smtpd_tls_exclude_ciphers takes it away, and whether the certificate's key fits it
    (ECDHE_ECDSA needs an ECDSA key).
    """
    versions = {version: names for version, names in seen.versions.items() if version in (wants.versions or (version,))}
    if wants.versions and not versions:
        if doubt := [version for version in wants.versions if version in seen.open_versions]:
            yield Item(Fact.INCONCLUSIVE, f"nobody knows whether {', '.join(doubt)} is spoken")
        return
    found = [name for names in versions.values() for name in names if matches(name, wants.any_of)]
    doubtful = sorted(among(seen.unsettled, wants.any_of))
    if found:
        yield met(True, "accepted: " + some(list(dict.fromkeys(found))))
    elif doubtful or seen.all_unsettled:
        yield Item(Fact.INCONCLUSIVE, "neither accepted nor refused: " + (some(doubtful) or "all of them"))
    else:
        yield met(False, "accepted are only " + some(list(seen.accepted)))


@rule("CIPHER-004", "Excluded classes of suites are refused")
def excluded_classes(seen: AcceptedSuites, wants: SuiteLabels) -> Iterable[Item]:
    """Which of the classes in a list such as smtpd_tls_exclude_ciphers the server still accepts, class by class.

    Why it matters: administrators exclude classes by OpenSSL's names for them, and a misspelt name excludes nothing
    and is never complained about.

    How to mend it: smtpd_tls_exclude_ciphers = the names of the classes that are still accepted; check each with
    `openssl ciphers -v NAME`.
    """
    for label, patterns in wants.classes.items():
        found = among(seen.accepted, patterns)
        doubtful = seen.all_unsettled or bool(among(seen.unsettled, patterns))
        if found:
            yield met(False, f"{label}: {some(found)}")
        else:
            yield Item(Fact.INCONCLUSIVE if doubtful else Fact.YES, f"{label}: {'not known' if doubtful else 'none'}")
