"""The certificates that an endpoint served: its chains, what they come to in the trust store, and their shape."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256, sha512
from typing import Self

import msgspec

from audits.dane import chain_of
from audits.established.views import EndpointView, Inapplicable, Missing
from audits.tlsa import DANE_TA, presentation, public_key_info
from audits.trust import NOT_TRUSTED, ChainVerdict
from audits.verdicts import State
from scanner.answers import Fact
from scanner.dns_facts import TlsaRecord
from scanner.facts import EndpointFacts, EndpointUse, SessionFacts
from scanner.tls_facts import OTHER_CHAINS, CertificateFacts, HelloStyle

_ISSUER_NOT_FOUND = frozenset({2, 20, 21})
"""OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, _LOCALLY, and UNABLE_TO_VERIFY_LEAF_SIGNATURE."""
_KEY_OF_STYLE = {HelloStyle.RSA_CHAIN: "RSA", HelloStyle.ECDSA_CHAIN: "EC"}
_KEY_OF_SUITE = {"RSA": "RSA", "ECDSA": "EC", "DSS": "DSA"}


class ServedChain(msgspec.Struct, frozen=True):
    """One chain as received, leaf first. `anchored`: it leads to an anchor of the trust store, whatever its dates."""

    certificates: tuple[CertificateFacts, ...]
    anchored: bool

    @property
    def leaf(self) -> CertificateFacts:
        return self.certificates[0]

    @property
    def issuers(self) -> tuple[CertificateFacts, ...]:
        """The certificates behind the leaf but for roots, whose own signature and dates nobody checks."""
        return tuple(each for each in self.certificates[1:] if not each.self_issued)


class ServedChains(msgspec.Struct, frozen=True):
    """The different chains of one endpoint, that of the deciding handshake first, and when it was looked at.

    `as_clients_ask`: the server was asked with the hello of those who connect there. Mail programs send its name (SNI)
    and may be shown another certificate than we, who send none; a Postfix at MUST sends none either.
    """

    host: str
    at: datetime
    chains: tuple[ServedChain, ...]
    as_clients_ask: bool = True

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := without_chain(view):
            return trouble
        assert view.facts is not None
        first, *others = _distinct(view, view.facts)
        names = {each.issuer for each in first}
        anchored = is_anchored(view.verdict.trust)
        served = (
            ServedChain(first, anchored),
            *(ServedChain(o, anchored and not names.isdisjoint(c.issuer for c in o)) for o in others),
        )
        as_clients_ask = view.verdict.ref.use is EndpointUse.MAIL or bool(view.verdict.ref.endpoint.sni)
        return cls(view.verdict.ref.mx_host, view.facts.seen_at, served, as_clients_ask)


class ServedLeaf(msgspec.Struct, frozen=True):
    """What the deciding chain came to in the trust store of this judgement, and its shape.

    `root_needed`: the TLSA record that matched names the root, so that the root must be sent (RFC 7672 section 3.1.2).
    """

    host: str
    at: datetime
    certificates: tuple[CertificateFacts, ...]
    trust: ChainVerdict
    root_needed: bool = False

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := without_chain(view):
            return trouble
        assert view.facts is not None
        if view.verdict.trust is None:
            return Missing("the chain was not verified")
        chain = tuple(chain_of(view.verdict.handshake, view.facts) or ())
        needed = _is_root_named(view, chain)
        return cls(view.verdict.ref.mx_host, view.facts.seen_at, chain, view.verdict.trust, needed)

    @property
    def complete(self) -> Fact:
        """Whether every issuer up to an anchor or a root was sent; open where the chain could not be read."""
        if self.trust.error_code in _ISSUER_NOT_FOUND and not self.certificates[-1].self_issued:
            return Fact.NO
        return Fact.INCONCLUSIVE if self.trust.error_depth is None and not self.trust.trusted else Fact.YES

    @property
    def missing_issuer(self) -> str:
        """The name of the issuer that was not found."""
        depth = min(self.trust.error_depth or 0, len(self.certificates) - 1)
        return self.certificates[depth].issuer


class ServedKeys(msgspec.Struct, frozen=True):
    """Kind of key ("RSA", "EC", "DSA") -> whether a chain with such a leaf is served; what is missing nobody asked.

    A "no" needs the whole set of questions to a server of TLS 1.2, whose suites tell the kinds apart.
    """

    kinds: dict[str, Fact]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := without_chain(view):
            return trouble
        assert view.facts is not None
        kinds: dict[str, Fact] = {}
        tls = view.facts.tls
        asked = tls.version("TLSv1.2") if tls and tls.complete else None
        if asked and asked.offered is Fact.YES:
            kinds = dict.fromkeys(_KEY_OF_STYLE.values(), Fact.NO)
        for session in view.facts.sessions:
            kind = _KEY_OF_STYLE.get(session.hello)
            if kind and session.handshake is None:
                kinds.setdefault(kind, Fact.INCONCLUSIVE)
        for suite in tls.chains if tls else ():
            kinds[_KEY_OF_SUITE.get(suite.authentication, suite.authentication)] = Fact.YES
        for chain in _distinct(view, view.facts):
            if chain[0].key:
                kinds[chain[0].key.algorithm] = Fact.YES
        return cls(kinds)


class Stapling(msgspec.Struct, frozen=True):
    """Whether an OCSP response came with a leaf that demands one in the handshake (RFC 7633)."""

    stapled: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := without_chain(view):
            return trouble
        assert view.facts is not None
        if not any(chain[0].must_staple for chain in _distinct(view, view.facts)):
            return Inapplicable("no certificate demands an OCSP response")
        if view.facts.tls is None:
            return Missing("nobody asked for an OCSP response (--depth standard does)")
        return cls(view.facts.tls.ocsp_staple)


def without_chain(view: EndpointView) -> Missing | Inapplicable | None:
    """Why nothing is known of a certificate; None where the deciding handshake showed one."""
    trouble = view.unanswered()
    if view.verdict.state is State.CLOSED or view.facts is None or view.verdict.handshake is None:
        return trouble or Missing("no handshake came to its end")
    if not view.verdict.handshake.chain:
        return Inapplicable("no certificate was presented")
    return None if chain_of(view.verdict.handshake, view.facts) else Missing("its certificates were not kept")


def is_anchored(trust: ChainVerdict | None) -> bool:
    """Whether a path to an anchor was found, even if a date, a purpose or a strength then refused it."""
    if trust is None:
        return False
    found = trust.result != NOT_TRUSTED and trust.error_depth is not None
    return trust.trusted or bool(trust.verified) or found


def _distinct(view: EndpointView, facts: EndpointFacts) -> tuple[tuple[CertificateFacts, ...], ...]:
    """The deciding chain, then every other one that was served."""
    known = {certificate.sha256: certificate for certificate in facts.certificates}
    digests = [view.verdict.handshake.chain] if view.verdict.handshake else []
    digests += [session.handshake.chain for session in _with_other_chains_last(facts) if session.handshake]
    digests += [chain.chain for chain in (facts.tls.chains if facts.tls else ())]
    whole = (chain for chain in dict.fromkeys(digests) if chain and known.keys() >= set(chain))
    return tuple(tuple(known[digest] for digest in chain) for chain in whole)


def _with_other_chains_last(facts: EndpointFacts) -> list[SessionFacts]:
    return sorted(facts.sessions, key=lambda session: session.hello in OTHER_CHAINS)


def _is_root_named(view: EndpointView, chain: Sequence[CertificateFacts]) -> bool:
    """Whether the TLSA record that matched at this endpoint is that of a root which was sent."""
    dane = view.published.dane if view.published else None
    ref = view.verdict.ref
    matched = {
        each.record
        for each in (dane.endpoints if dane else ())
        if (each.mx_host, each.address, each.port) == (ref.mx_host, ref.endpoint.address, ref.endpoint.port)
    }
    roots = [certificate for certificate in chain[1:] if certificate.self_issued]
    return any(presentation(record) in matched for root in roots for record in _anchor_records(root))


def _anchor_records(certificate: CertificateFacts) -> Iterator[TlsaRecord]:
    """Every record of usage 2 that names this certificate (RFC 6698 section 2.1)."""
    for selector, data in enumerate((certificate.der, public_key_info(certificate.der) or b"")):
        for matching_type, content in enumerate((data, sha256(data).digest(), sha512(data).digest())):
            yield TlsaRecord(DANE_TA, selector, matching_type, content)


def described(certificate: CertificateFacts) -> str:
    """How evidence names a certificate: its subject, or its digest where it has none."""
    return certificate.subject or f"sha256 {certificate.sha256[:16]}"
