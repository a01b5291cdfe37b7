"""Turn what a plan has learned so far into facts."""

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256

import msgspec

from scanner.answers import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire.code_points import (
    SHA1_SCHEMES,
    SSL2,
    SSL2_CIPHER_NAMES,
    SSL3,
    TLS10,
    TLS12,
    TLS13,
    VERSIONS,
    X25519MLKEM768,
    ExtensionType,
    group_name,
    scheme_name,
    version_name,
)
from scanner.wire.dh_primes import prime_bits, prime_digest, prime_name
from scanner.wire.ledger import MAX_FAILURES_KEPT, Ledger, Shown, all_offers
from scanner.wire.preference import Choices, preference_of
from scanner.wire.registry import suite_name
from scanner.wire.server_flight import FlightEnd
from scanner.wire.weakness import SEARCH_CLASSES, classes_of
from scanner.wire_facts import ChainFacts, ClassFacts, DhFacts, TlsFacts, VersionFacts

Test = Callable[[Shown], bool]


class TlsPicture(msgspec.Struct, frozen=True):
    """What a plan returns: the facts, and the certificates (DER, each once) whose digests stand in them."""

    facts: TlsFacts
    certificates: tuple[bytes, ...]


def picture_of(ledger: Ledger) -> TlsPicture:
    """The facts at this moment, finished or not."""
    versions = tuple(_version_facts(ledger, version) for version in ledger.planned)
    classes = tuple(_class_facts(ledger))
    singles = _single_facts(ledger)
    chains = {authentication: chain for authentication, chain in ledger.chains.items() if authentication != "anon"}
    facts = TlsFacts(
        versions=versions,
        classes=classes,
        chains=tuple(
            ChainFacts(kind, tuple(sha256(der).hexdigest() for der in chain), kind in ledger.stapled)
            for kind, chain in sorted(chains.items())
        ),
        dh=tuple(_dh_facts(ledger)),
        export_rsa_bits=None if ledger.export_modulus is None else prime_bits(ledger.export_modulus),
        ssl2_ciphers=tuple(SSL2_CIPHER_NAMES.get(kind, f"0x{kind:06X}") for kind in ledger.ssl2_kinds),
        connections=ledger.connections,
        complete=_is_complete(ledger, versions, (*singles.values(), *(entry.accepted for entry in classes))),
        failures=tuple(ledger.failures),
        **singles,
    )
    return TlsPicture(facts, tuple(dict.fromkeys(der for chain in ledger.chains.values() for der in chain)))


_SEEN_MISSING = frozenset({
    "extended_master_secret", "secure_renegotiation", "encrypt_then_mac", "downgrade_sentinel"
})  # fmt: skip
"""Of these a NO was seen in a flight; of the others it means that no flight showed it."""


def beside_sessions(picture: TlsPicture, spoken: Iterable[str]) -> TlsPicture:
    """The picture beside the versions of handshakes that came to their end.

    Where it refuses one of them, machines that differ stand behind one address, and what one of them refuses says
    nothing of the others: all that was refused is open.
    """
    facts, known = picture.facts, frozenset(spoken)
    denied = [v.version for v in facts.versions if v.offered is Fact.NO and v.version in known]
    if not denied:
        return picture
    words = f"{', '.join(denied)}: refused to a hello, spoken in a session"
    failure = ProbeFailure(Stage.HANDSHAKE, Kind.PROTOCOL, words)
    opened = {
        name: Fact.INCONCLUSIVE
        for name in facts.__struct_fields__
        if getattr(facts, name) is Fact.NO and name not in _SEEN_MISSING
    }
    doubted = msgspec.structs.replace(
        facts,
        versions=tuple(map(_reopened, facts.versions)),
        classes=tuple(ClassFacts(c.name, _open_if_no(c.accepted)) for c in facts.classes),
        complete=False,
        failures=(failure, *facts.failures)[:MAX_FAILURES_KEPT],
        **opened,
    )
    return msgspec.structs.replace(picture, facts=doubted)


def _reopened(version: VersionFacts) -> VersionFacts:
    settled = {*version.suites, *version.broken}
    offers = all_offers(VERSIONS[version.version])
    left = tuple(sorted(code for code in offers if suite_name(code) not in settled))
    is_offered = version.offered is Fact.YES
    return msgspec.structs.replace(
        version,
        offered=_open_if_no(version.offered),
        complete=False,
        unsettled=left if is_offered else (),
        groups_complete=False,
    )


def _open_if_no(fact: Fact) -> Fact:
    return Fact.INCONCLUSIVE if fact is Fact.NO else fact


def _is_complete(ledger: Ledger, versions: tuple[VersionFacts, ...], others: tuple[Fact, ...]) -> bool:
    """Whether every question of the plan has an answer: for an exact plan also every suite and group."""
    if ledger.stopped or Fact.INCONCLUSIVE in (*others, *(facts.offered for facts in versions)):
        return False
    offered = [facts for facts in versions if facts.offered is Fact.YES]
    groups = {version for version in ledger.groups_wanted if ledger.groups.get(version)}
    return groups <= ledger.groups_complete and (not ledger.exact or all(facts.complete for facts in offered))


def _version_facts(ledger: Ledger, version: int) -> VersionFacts:
    name, offered = version_name(version), ledger.versions.get(version, Fact.INCONCLUSIVE)
    if offered is not Fact.YES:
        return VersionFacts(version=name, offered=offered, evidence=ledger.evidence.get(version, ""))
    unsettled = ledger.open_suites(version)
    schemes = {one.scheme: None for one in ledger.shown if one.version == version}
    return VersionFacts(
        version=name,
        offered=offered,
        suites=tuple(suite_name(code) for code in ledger.accepted.get(version, ())),
        complete=not unsettled,
        unsettled=tuple(sorted(unsettled)),
        broken=tuple(suite_name(code) for code in ledger.broken.get(version, ())),
        preference=preference_of(ledger.suite_choices.get(version, Choices()).picks()),
        groups=tuple(group_name(code) for code in ledger.groups.get(version, ())),
        groups_complete=version in ledger.groups_complete,
        group_preference=preference_of(ledger.group_picks.get(version, ())),
        schemes=tuple(scheme_name(code) for code in schemes if code is not None),
    )


def _class_facts(ledger: Ledger) -> Iterable[ClassFacts]:
    """YES for one accepted suite in any version; NO only if each suite is refused in each version that is offered."""
    versions = [version for version in ledger.planned if version != SSL2]
    accepted = [code for version in versions for code in ledger.accepted.get(version, ())]
    found = frozenset(name for code in accepted for name in classes_of(code))
    doubtful = (version for version in versions if ledger.versions.get(version) is not Fact.NO)
    unsettled = [(version, frozenset(ledger.open_suites(version))) for version in doubtful]
    for name in (entry.name for entry in SEARCH_CLASSES):
        unknown = any(not left.isdisjoint(_offers_of_class(version, name)) for version, left in unsettled)
        yield ClassFacts(name, Fact.YES if name in found else Fact.INCONCLUSIVE if unknown else Fact.NO)


@cache
def _offers_of_class(version: int, name: str) -> frozenset[int]:
    return frozenset(code for code in all_offers(version) if name in classes_of(code))


def _dh_facts(ledger: Ledger) -> Iterable[DhFacts]:
    for seen, (versions, code) in ledger.primes.items():
        yield DhFacts(
            bits=prime_bits(seen.prime),
            name=prime_name(seen.prime),
            prime_sha256=prime_digest(seen.prime),
            generator=int.from_bytes(seen.generator[:8], "big") if len(seen.generator) <= 8 else 0,
            ffdhe_offered=seen.ffdhe_offered,
            versions=tuple(version_name(version) for version in sorted(versions, reverse=True)),
            suite=suite_name(code),
        )


def _single_facts(ledger: Ledger) -> dict[str, Fact]:
    """What the flights showed, and beside it what was asked for by itself and answered."""
    seen = _flight_facts(ledger) | _hybrid_fact(ledger)
    answered = {name: fact for name, fact in ledger.special.items() if fact is not Fact.INCONCLUSIVE}
    return ledger.special | seen | answered


def _hybrid_fact(ledger: Ledger) -> dict[str, Fact]:
    if X25519MLKEM768 in ledger.groups.get(TLS13, ()):
        return {"hybrid_group": Fact.YES}
    if TLS13 in ledger.groups_complete or ledger.versions.get(TLS13) is Fact.NO:
        return {"hybrid_group": Fact.NO}
    return {"hybrid_group": Fact.INCONCLUSIVE if TLS13 in ledger.planned else Fact.NOT_TESTED}


def _flight_facts(ledger: Ledger) -> dict[str, Fact]:
    """What the flights up to TLS 1.2 show for free."""
    old = [one for one in ledger.shown if one.end is FlightEnd.DONE]
    tls = [one for one in old if one.version in range(TLS10, TLS13)]
    signed = [one for one in old if not one.anonymous]
    cbc = [one for one in tls if one.cbc and one.offered_encrypt_then_mac]
    asked_again = ledger.versions.get(TLS13) is Fact.YES
    tls12 = [one for one in old if one.version == TLS12 and one.signed]
    found = {
        "extended_master_secret": _all(tls, _has(ExtensionType.EXTENDED_MASTER_SECRET)),
        "secure_renegotiation": _all(old, _has(ExtensionType.RENEGOTIATION_INFO)),
        "encrypt_then_mac": _all(cbc, _has(ExtensionType.ENCRYPT_THEN_MAC)),
        "session_tickets": _any(tls, _has(ExtensionType.SESSION_TICKET)),
        "compression": _any([one for one in old if one.offered_compression], lambda one: one.compressed),
        "truncated_hmac": _any([one for one in tls if one.offered_truncated_hmac], _has(ExtensionType.TRUNCATED_HMAC)),
        "heartbeat": _any([one for one in tls if one.offered_heartbeat], _has(ExtensionType.HEARTBEAT)),
        "client_certificate": _any(signed, lambda one: one.client_certificate),
        "downgrade_sentinel": _all(tls if asked_again else [], lambda one: one.downgrade),
    }
    found["ocsp_staple"] = _any([one for one in signed if one.offered_staple], lambda _: bool(ledger.stapled))
    if any(one.scheme in SHA1_SCHEMES for one in tls12):
        found["sha1_signatures"] = Fact.YES
    unseen = _unseen(ledger, bool(old))
    return {name: unseen if fact is Fact.NOT_TESTED else fact for name, fact in found.items()}


def _unseen(ledger: Ledger, some_flights: bool) -> Fact:
    """No flight could show it. It does not apply if the plan came to its end and no version stayed open."""
    old = [version for version in ledger.planned if version in range(SSL3, TLS13)]
    settled = some_flights or all(ledger.versions.get(version) is Fact.NO for version in old)
    doubtful = any(ledger.versions.get(version) is Fact.INCONCLUSIVE for version in ledger.planned if version != SSL2)
    return Fact.NOT_TESTED if settled and not doubtful and not ledger.stopped else Fact.INCONCLUSIVE


def _has(extension: int) -> Test:
    return lambda one: one.has(extension)


def _all(seen: list[Shown], test: Test) -> Fact:
    """YES if every flight shows it, NO if one does not: for what must never be missing."""
    return (Fact.YES if all(map(test, seen)) else Fact.NO) if seen else Fact.NOT_TESTED


def _any(seen: list[Shown], test: Test) -> Fact:
    """YES if one flight shows it: for what must never be there, and for what a server does at times."""
    return (Fact.YES if any(map(test, seen)) else Fact.NO) if seen else Fact.NOT_TESTED
