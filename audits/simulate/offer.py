"""What Postfix offers in a handshake at one level, and what the server makes of it, by the facts of a scan.

The suites of an offer are those of the OpenSSL on this machine for the same cipher string (tls_misc.c,
tls_set_ciphers); for TLS 1.3 Postfix 3.7 has no setting, so its suites are always there.
"""

import ssl
from functools import lru_cache

import msgspec

from audits.sessions import Observed
from audits.simulate.outcomes import SimulationCause, Why
from scanner.facts import Fact
from scanner.tls_facts import LEVEL1_VERSIONS, HandshakeFacts
from scanner.wire.registry import suite, suite_code
from scanner.wire.suite_traits import Trait
from scanner.wire_facts import Preference, TlsFacts, VersionFacts

NEWEST_FIRST = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")
_WIRE_NAMES = {"TLSv1": "TLSv1.0"}
"""OpenSSL's and Postfix's name of TLS 1.0, in the words of the wire."""
_CODE = 0xFFFF


class Offer(msgspec.Struct, frozen=True):
    """The versions (in the words of the wire), and the code points of the suites up to TLS 1.2, first choice first."""

    versions: frozenset[str]
    suites: tuple[int, ...]

    @property
    def anonymous(self) -> bool:
        """Whether a suite without a certificate is among them."""
        return any(suite(code).has(Trait.ANONYMOUS) for code in self.suites)


class Handshake(msgspec.Struct, frozen=True):
    """What comes of an offer. `works` no: the handshake fails, and `why` says for what reason.

    `version` is "" where it cannot be told; `anonymous` whether the suite has no certificate; `same`: it is the very
    handshake that the scan made, so that its chain is the one that was seen.
    """

    works: Fact
    version: str = ""
    anonymous: Fact = Fact.INCONCLUSIVE
    same: bool = False
    why: Why | None = None


def wire_version(name: str) -> str:
    """A version in the words of the wire: "TLSv1.0" for OpenSSL's "TLSv1"."""
    return _WIRE_NAMES.get(name, name)


@lru_cache(maxsize=64)
def suites_of(cipher_string: str) -> tuple[int, ...]:
    """The code points of an OpenSSL cipher string up to TLS 1.2, in its order; none where OpenSSL finds none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(f"{cipher_string}:@SECLEVEL=0")
    except ssl.SSLError:
        return ()
    found = (entry for entry in context.get_ciphers() if entry["protocol"] != "TLSv1.3")
    return tuple(entry["id"] & _CODE for entry in found)


def handshake_under(offer: Offer, seen: Observed, tls: TlsFacts | None, works: Fact) -> Handshake:
    """What the server makes of the offer; `works` is what the sessions say of TLS at this security level."""
    if works is not Fact.YES:
        return Handshake(works)
    made = seen.deciding.handshake if seen.deciding else None
    if made is None:
        return Handshake(Fact.INCONCLUSIVE)
    if not made.chain and not offer.anonymous and seen.tls1 is Fact.NO and made.version in LEVEL1_VERSIONS:
        words = "the server offers only anonymous suites, the sender none"
        return Handshake(Fact.NO, why=Why(SimulationCause.NO_COMMON_CIPHER, words))
    version = wire_version(made.version)
    if version in offer.versions:
        return _in_version(version, offer, made, tls)
    for candidate in NEWEST_FIRST[NEWEST_FIRST.index(version) + 1 :] if version in NEWEST_FIRST else ():
        if candidate not in offer.versions:
            continue
        offered = _offered(candidate, tls)
        if offered is Fact.YES:
            return _in_version(candidate, offer, made, tls)
        if offered is not Fact.NO:
            return Handshake(Fact.INCONCLUSIVE)
    above = [name for name in NEWEST_FIRST[: NEWEST_FIRST.index(version)] if name in offer.versions]
    if any(_offered(name, tls) not in (Fact.NO, Fact.NOT_TESTED) for name in above):
        return Handshake(Fact.INCONCLUSIVE)
    words = f"the server speaks {version}, the sender {', '.join(sorted(offer.versions)) or 'no version'}"
    return Handshake(Fact.NO, why=Why(SimulationCause.NO_COMMON_PROTOCOL, words))


def _offered(version: str, tls: TlsFacts | None) -> Fact:
    known = tls.version(version) if tls else None
    return known.offered if known else Fact.NOT_TESTED


def _in_version(version: str, offer: Offer, made: HandshakeFacts, tls: TlsFacts | None) -> Handshake:
    """The handshake in a version that both speak; up to TLS 1.2 it needs a common suite."""
    same = version == wire_version(made.version)
    if version == "TLSv1.3":
        return Handshake(Fact.YES, version, Fact.NO, same)
    known = tls.version(version) if tls else None
    accepted = {code for name in (known.suites if known else ()) if (code := suite_code(name)) is not None}
    if same and (code := suite_code(made.suite)) is not None:
        accepted.add(code)
    common = [code for code in offer.suites if code in accepted]
    if common:
        anonymous = _anonymous(offer, made, known, tls)
        named = {code for code in accepted if not suite(code).has(Trait.ANONYMOUS)}
        alike = same and named.issubset(common) and (bool(made.chain) or anonymous is Fact.YES)
        return Handshake(Fact.YES, version, anonymous, alike)
    if known is not None and known.complete:
        words = f"no suite of the sender's is taken in {version}"
        return Handshake(Fact.NO, version, why=Why(SimulationCause.NO_COMMON_CIPHER, words))
    return Handshake(Fact.INCONCLUSIVE, version)


def _anonymous(offer: Offer, made: HandshakeFacts, known: VersionFacts | None, tls: TlsFacts | None) -> Fact:
    """Whether an anonymous suite is agreed on where the offer has some: Postfix puts them first.

    A server that follows its own order may prefer another; then only the whole list of its suites tells.
    """
    if not offer.anonymous:
        return Fact.NO
    if not made.chain and known is not None and known.version == wire_version(made.version):
        return Fact.YES
    accepted = _class_fact(tls)
    if accepted is not Fact.YES or known is None:
        return Fact.INCONCLUSIVE if accepted is not Fact.NO else Fact.NO
    codes = [code for name in known.suites if (code := suite_code(name)) is not None]
    offered = set(offer.suites)
    nameless = [code for code in codes if suite(code).has(Trait.ANONYMOUS) and code in offered]
    if known.preference in (Preference.SERVER, Preference.MIXED):
        first = next((code for code in codes if code in offered), None)
        settled = known.complete and known.preference is Preference.SERVER
        return (Fact.YES if first in nameless else Fact.NO) if settled else Fact.INCONCLUSIVE
    if not nameless:
        return Fact.NO if known.complete else Fact.INCONCLUSIVE
    return Fact.YES


def _class_fact(tls: TlsFacts | None) -> Fact:
    found = (each.accepted for each in tls.classes if each.name == "anonymous") if tls else ()
    return next(iter(found), Fact.NOT_TESTED)
