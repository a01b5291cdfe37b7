"""The classes of suites that a search looks for, worst first, and the order in which a hello offers suites.

Some standard forbids, or grades as insufficient or to be phased out, every suite but the six of `UNDISPUTED`: NIST
lists no ChaCha20, Mozilla no CCM, NCSC-NL no DHE as good, RFC 10015 no static RSA. The search therefore covers
everything else, class by class, so that each standard finds its forbidden suites among the classes; the last class
takes what the traits do not name. A class is data: a name and the traits of which one is enough.
"""

from collections.abc import Iterable
from functools import cache

import msgspec

from scanner.wire.registry import all_suites, suite, suite_code
from scanner.wire.suite_traits import Trait

UNDISPUTED = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
)
"""Forbidden by no standard that allows their protocol version at all."""

OTHER = "other"
"""The class of suites that no trait below names, and of those that IANA never registered: AEGIS, ECCPWD, CECPQ1,
Salsa20 and code points without a name. No standard lists them, so that the search has to settle them by themselves."""


class SuiteClass(msgspec.Struct, frozen=True):
    """A class of suites: each suite with one of `traits`."""

    name: str
    traits: frozenset[Trait]


def _class(name: str, *traits: Trait) -> SuiteClass:
    return SuiteClass(name, frozenset(traits))


SEARCH_CLASSES: tuple[SuiteClass, ...] = (
    _class("null", Trait.NULL),
    _class("anonymous", Trait.ANONYMOUS),
    _class("export", Trait.EXPORT),
    _class("des", Trait.DES),
    _class("rc2", Trait.RC2),
    _class("rc4", Trait.RC4),
    _class("md5", Trait.MD5),
    _class("fortezza", Trait.FORTEZZA),
    _class("3des", Trait.TRIPLE_DES),
    _class("idea", Trait.IDEA),
    _class("krb5", Trait.KRB5),
    _class("static-dh", Trait.STATIC_DH),
    _class("static-ecdh", Trait.STATIC_ECDH),
    _class("static-rsa", Trait.STATIC_RSA),
    _class("dss", Trait.DSS),
    _class("psk", Trait.PSK),
    _class("srp", Trait.SRP),
    _class("gost", Trait.GOST),
    _class("sm", Trait.SM),
    _class("seed", Trait.SEED),
    _class("dhe", Trait.DHE),
    _class("cbc-sha1", Trait.CBC_SHA1),
    _class("cbc", Trait.CBC),
    _class("ccm-8", Trait.CCM_8),
    _class("camellia", Trait.CAMELLIA),
    _class("aria", Trait.ARIA),
    _class(OTHER),
    _class("ccm", Trait.CCM),
    _class("chacha20", Trait.CHACHA20),
)
"""Worst first."""
_RANKS = {entry.name: rank for rank, entry in enumerate(SEARCH_CLASSES)}


@cache
def _undisputed() -> frozenset[int]:
    return frozenset(code for code in map(suite_code, UNDISPUTED) if code is not None)


@cache
def classes_of(code: int) -> frozenset[str]:
    """The names of the classes of a suite: none for the undisputed ones, at least one for all others."""
    if code in _undisputed():
        return frozenset()
    one = suite(code)
    named = frozenset(entry.name for entry in SEARCH_CLASSES if entry.traits & one.parts.traits)
    return named if named and one.registered else named | {OTHER}


@cache
def _badness(code: int) -> tuple[int, int, int]:
    """Sorts the worst suite first: its worst class, then the weaker cipher."""
    worst = min((_RANKS[name] for name in classes_of(code)), default=len(SEARCH_CLASSES))
    return worst, suite(code).parts.bits, code


def worst_first(codes: Iterable[int]) -> tuple[int, ...]:
    """Suites in the order in which a probe offers them, so that a server that follows us shows its worst at once."""
    return tuple(sorted(codes, key=_badness))


def suites_of_class(name: str) -> tuple[int, ...]:
    """All known suites of a class, worst first."""
    return worst_first(
        one.code for one in all_suites() if not one.has(Trait.SIGNALLING) and name in classes_of(one.code)
    )


def uncovered(forbidden: Iterable[str], forbidden_versions: Iterable[str] = ()) -> tuple[str, ...]:
    """Those of the `forbidden` suites (IANA names) that neither a class nor a version of the search settles.

    A standard is covered when this is empty. `forbidden_versions` are the versions that it forbids altogether: their
    presence alone settles the undisputed suites of TLS 1.2, which exist in no other version.
    """
    versions = set(forbidden_versions)
    left = []
    for name in forbidden:
        code = suite_code(name)
        needed = "TLSv1.3" if code is not None and suite(code).has(Trait.TLS13) else "TLSv1.2"
        if code is None or (not classes_of(code) and needed not in versions):
            left.append(name)
    return tuple(left)
