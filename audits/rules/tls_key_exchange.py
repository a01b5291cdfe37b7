"""The groups of (EC)DHE: forbidden, allowed, wanted; and the primes of Diffie-Hellman."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from audits.established.tls_key_exchange import DhGroups, KeyExchangeGroups
from audits.rules.question import Item, met, rule
from scanner.answers import Fact
from scanner.wire_facts import DhFacts

_DEEPER = "groups were not asked for one by one (--depth full does)"


class ForbiddenGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups that must not be used, by IANA name."""

    forbidden: tuple[str, ...]


class AllowedGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only groups that may be used."""

    allowed: tuple[str, ...]


class WantedGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups of which one must be used; `meaning` explains some of them ("secp256r1": "strong")."""

    any_of: tuple[str, ...]
    meaning: dict[str, str] = {}


class SmallestPrime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least size of a Diffie-Hellman prime."""

    min_bits: Annotated[int, msgspec.Meta(ge=1)]


class NamedPrimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only primes that may be used, by name (RFC 7919, RFC 3526)."""

    allowed: tuple[str, ...]


@rule("KEX-001", "Forbidden groups are refused")
def forbidden_groups(seen: KeyExchangeGroups, wants: ForbiddenGroups) -> Iterable[Item]:
    """Whether the server refuses the groups of the key exchange that the standard forbids.

    Why it matters: the group decides how hard it is to compute the keys of a recorded session.

    How to mend it: smtpd_tls_eecdh_grade = auto with tls_eecdh_auto_curves (Postfix 3.2 and later), and
    tls_ffdhe_auto_groups (3.8 and later), with the groups that you want.
    """
    answers = {name: seen.offers(name) for name in wants.forbidden}
    used = [name for name, answer in answers.items() if answer is Fact.YES]
    if used:
        yield met(False, "used: " + ", ".join(used))
    elif open_ := [name for name, answer in answers.items() if answer is not Fact.NO]:
        yield Item(Fact.NOT_TESTED, f"{_DEEPER}: {', '.join(open_)}")
    else:
        yield met(True, "none of them is used")


@rule("KEX-002", "Only listed groups are used")
def listed_groups(seen: KeyExchangeGroups, wants: AllowedGroups) -> Iterable[Item]:
    """Whether every group of the key exchange that the server uses stands on the list of the standard.

    Why it matters: a closed list also excludes the curves that nobody thought of.

    How to mend it: smtpd_tls_eecdh_grade = auto with tls_eecdh_auto_curves (Postfix 3.2 and later), and
    tls_ffdhe_auto_groups (3.8 and later), with the listed groups.
    """
    for version, groups in seen.used.items():
        foreign = [name for name in groups if name not in wants.allowed]
        if foreign:
            yield met(False, f"{version}: {', '.join(foreign)}")
        else:
            yield met(True, f"{version}: {', '.join(groups)}")
    if not seen.complete:
        yield Item(Fact.NOT_TESTED, _DEEPER)


@rule("KEX-003", "One of the wanted groups is used")
def wanted_groups(seen: KeyExchangeGroups, wants: WantedGroups) -> Iterable[Item]:
    """Whether the server uses at least one of the groups that the standard wants.

    Why it matters: two sides that both follow the standard must have a group in common. Hybrid groups such as
    X25519MLKEM768 keep what is recorded today from being read by a quantum computer later.

    How to mend it: smtpd_tls_eecdh_grade = auto and tls_eecdh_auto_curves with the wanted groups. Hybrid groups need
    OpenSSL 3.5 (and Postfix 3.11 names them by default).
    """
    answers = {name: seen.offers(name) for name in wants.any_of}
    used = [name for name, answer in answers.items() if answer is Fact.YES]
    if used:
        yield met(True, "used: " + ", ".join(_explained(name, wants.meaning) for name in used))
    elif open_ := [name for name, answer in answers.items() if answer is not Fact.NO]:
        yield Item(Fact.NOT_TESTED, f"{_DEEPER}: {', '.join(open_)}")
    else:
        shown = dict.fromkeys(name for groups in seen.used.values() for name in groups)
        yield met(False, "used are only " + (", ".join(shown) or "none"))


@rule("DH-001", "Diffie-Hellman primes are large enough")
def prime_size(seen: DhGroups, wants: SmallestPrime) -> Iterable[Item]:
    """Whether every prime of finite-field Diffie-Hellman has at least the wanted size.

    Why it matters: 512 bits are broken by anybody, 1024 bits by states (Logjam, CVE-2015-4000). The old parameters
    smtpd_tls_dh512_param_file and smtpd_tls_dh1024_param_file were named after these sizes. Clients of today refuse
    short primes, and their mail is delayed or comes in clear.

    How to mend it: smtpd_tls_dh1024_param_file = auto (Postfix 3.7 and later; earlier a file of 2048 bits or more),
    no smtpd_tls_dh512_param_file; or take DHE away: smtpd_tls_exclude_ciphers = kDHE. OpenSSL 3, left to choose,
    gives anonymous suites of 128 bits a prime of 1024 bits: exclude aNULL as well.
    """
    for one in seen.seen:
        yield met(one.bits >= wants.min_bits, _prime(one))
    if not seen.settled:
        yield Item(Fact.NOT_TESTED, "other clients may be given another prime (--depth full asks)")


@rule("DH-002", "Diffie-Hellman primes are listed ones")
def prime_names(seen: DhGroups, wants: NamedPrimes) -> Iterable[Item]:
    """Whether every prime of finite-field Diffie-Hellman is one of those that the standard names.

    Why it matters: nobody can see from outside whether a prime of somebody's own making is safe; those of RFC 7919 are
    known to be.

    How to mend it: smtpd_tls_dh1024_param_file with a file of the listed group (`openssl genpkey -genparam -algorithm
    DH -pkeyopt group:ffdhe3072`).
    """
    for one in seen.seen:
        yield met(one.name in wants.allowed, _prime(one))
    if not seen.settled:
        yield Item(Fact.NOT_TESTED, "other clients may be given another prime (--depth full asks)")


@rule("DH-003", "Diffie-Hellman primes are the server's own or large")
def shared_primes(seen: DhGroups, wants: SmallestPrime) -> Iterable[Item]:
    """Whether a prime below the given size is at least not one that many servers share.

    Why it matters: the long part of breaking a prime is done once for all who use it. The built-in primes of old mail
    servers are used by very many, which is why the old documents tell people to make their own.

    How to mend it: a larger prime (DH-001) is the better answer; else make your own: `openssl dhparam -out
    dh.pem 2048`, smtpd_tls_dh1024_param_file = dh.pem.
    """
    for one in seen.seen:
        yield met(one.bits >= wants.min_bits or not one.name, _prime(one))
    if not seen.settled:
        yield Item(Fact.NOT_TESTED, "other clients may be given another prime (--depth full asks)")


def _explained(name: str, meaning: dict[str, str]) -> str:
    return f"{name} ({meaning[name]})" if name in meaning else name


def _prime(one: DhFacts) -> str:
    return f"{one.bits} bits ({one.name or 'of its own making'}) in {', '.join(one.versions)}"
