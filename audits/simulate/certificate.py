"""Which certificate the sender gets, whether its own anchors trust it, and whether it matches what the level demands.

verify compares the host's name, secure the next-hop's domain, fingerprint a digest (postconf(5): smtp_tls_verify_
cert_match, smtp_tls_secure_cert_match, smtp_tls_fingerprint_cert_match; the attribute match= goes before them).
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address

import msgspec

from audits.dane import chain_of
from audits.names import name_match
from audits.postfix.resolution import Engine, Resolution
from audits.postfix.resolve import fingerprints
from audits.postfix.tls_levels import TlsLevel
from audits.reasons import Cause
from audits.sessions import observed
from audits.simulate.offer import Handshake
from audits.simulate.outcomes import SimulationCause, Why
from audits.simulate.sender import Sender
from audits.tlsa import public_key_info
from audits.trust import ChainVerdict
from scanner.facts import EndpointFacts
from scanner.tls_facts import CertificateFacts

_WEAK = frozenset({66, 67, 68})
"""OpenSSL's X509_V_ERR_*_TOO_WEAK and _TOO_SMALL: faults at security level 1 only."""
_WORDS = re.compile(r"[^:, \t\r\n]+")


class Certificate(msgspec.Struct, frozen=True):
    """The chain that the sender gets, leaf first, and what its anchors say of it."""

    chain: tuple[CertificateFacts, ...]
    verdict: ChainVerdict

    @property
    def trusted_at_level0(self) -> bool:
        """At may and encrypt OpenSSL's security level is 0, and weak keys and signatures are no fault."""
        return self.verdict.trusted or (self.verdict.error_code in _WEAK and bool(self.verdict.verified))


def seen_certificate(
    sender: Sender, resolution: Resolution, facts: EndpointFacts, handshake: Handshake
) -> Certificate | Why:
    """The certificate of the handshake; where several are possible, any of them if all are judged alike."""
    chains = _chains(facts, handshake.same)
    if not chains:
        return Why(SimulationCause.NOT_SCANNED, "the certificates were not kept")
    judged = [Certificate(tuple(chain), sender.verified(chain, facts.seen_at)) for chain in chains]
    leaves = {each.chain[0].sha256 if each.chain else "" for each in judged}
    alike = {(each.verdict.trusted, each.trusted_at_level0) for each in judged}
    if len(leaves) > 1 and (len(alike) > 1 or resolution.level.rank > TlsLevel.ENCRYPT.rank):
        return Why(SimulationCause.NOT_SCANNED, "which of several certificates the sender gets")
    return judged[0]


def outlived(certificate: Certificate, now: datetime | None) -> Why | None:
    """What was valid when it was seen may have ended since: whether it was renewed nobody knows."""
    used = {certificate.chain[0].sha256, *certificate.verdict.verified[:-1]} if certificate.chain else set()
    ends = [each.not_after for each in certificate.chain if each.sha256 in used and each.not_after is not None]
    if now is None or not ends or min(ends) > now:
        return None
    return Why(SimulationCause.NOT_SCANNED, f"the certificate that was seen ended on {min(ends):%Y-%m-%d}; scan again")


def server_name(sender: Sender, resolution: Resolution, names: tuple[str, str]) -> str:
    """The name that is sent in SNI at this level; "" for none. `names`: host, domain (postconf(5))."""
    given = next((each.value for each in resolution.attributes if each.name == "servername"), None)
    word = sender.value("smtp_tls_servername") if given is None else given
    return {"hostname": names[0], "nexthop": names[1]}.get(word.lower(), word)


def _chains(facts: EndpointFacts, same: bool) -> list[list[CertificateFacts]]:
    deciding = observed(facts).deciding
    made = deciding.handshake if deciding else None
    chain = chain_of(made, facts)
    found = [chain] if chain else []
    if same or facts.tls is None:
        return found
    known = {certificate.sha256: certificate for certificate in facts.certificates}
    others = [each.chain for each in facts.tls.chains]
    if not all(known.keys() >= set(other) for other in others):
        return []
    return [[known[digest] for digest in other] for other in others] or found


# --- what the level demands ------------------------------------------------------------------------------------------


def matched(sender: Sender, resolution: Resolution, certificate: Certificate, names: tuple[str, str]) -> Why | None:
    """Why the certificate does not satisfy verify, secure or fingerprint; None where it does. `names`: host, domain."""
    given = tuple(each.value for each in resolution.attributes if each.name == "match")
    if any(each.name == "tafile" for each in resolution.attributes):
        return Why(SimulationCause.NOT_SIMULATED, "the attribute tafile= is not followed")
    if resolution.level is TlsLevel.FINGERPRINT:
        return _fingerprint(sender, resolution, certificate)
    if sender.trust is None:
        return Why(SimulationCause.NO_TRUST_ANCHORS, certificate.verdict.reason)
    if not certificate.verdict.trusted:
        return Why(certificate.verdict.result, certificate.verdict.reason)
    secure = resolution.level is TlsLevel.SECURE
    before_3 = sender.config.engine is not Engine.MODERN  # which has no setting, and always asks for the host's name
    listed = "hostname" if before_3 else sender.value(f"smtp_tls_{'secure' if secure else 'verify'}_cert_match")
    wanted = given or (listed,)
    patterns = [_pattern(word, *names) for each in wanted for word in _WORDS.findall(each)]
    if _all_kinds_named(certificate.chain[0], patterns):
        return None
    presented = ", ".join(name_match(certificate.chain[0], names[0]).presented[:8]) or "no name"
    cause = SimulationCause.NEXT_HOP_MISMATCH if secure else Cause.CERTIFICATE_HOST_MISMATCH
    return Why(cause, f"{' or '.join(patterns)} is not among: {presented}")


def _pattern(word: str, host: str, domain: str) -> str:
    return {"hostname": host, "nexthop": domain, "dot-nexthop": f".{domain}"}.get(word.lower(), word)


def _all_kinds_named(leaf: CertificateFacts, patterns: Sequence[str]) -> bool:
    """One of the names, and the address where there is one: OpenSSL compares the two kinds apart (SSL_add1_host)."""
    addresses = [pattern for pattern in patterns if _is_address(pattern)]
    names = [pattern for pattern in patterns if not _is_address(pattern)]
    kinds = [kind for kind in (addresses, names) if kind]
    return bool(kinds) and all(any(_is_named(leaf, pattern) for pattern in kind) for kind in kinds)


def _is_address(pattern: str) -> bool:
    try:
        ip_address(pattern)
    except ValueError:
        return False
    return True


def _is_named(leaf: CertificateFacts, pattern: str) -> bool:
    """A pattern that begins with a dot matches every name below it (tls_wildcard_matches_multiple_labels = yes).

    What stands before it is not looked at, unless it holds a NUL: a U-label will do.
    """
    if not pattern.startswith("."):
        return name_match(leaf, pattern).matched
    presented = (name for name in leaf.names_dns or leaf.common_names if len(name) > len(pattern) and "\0" not in name)
    return any(name[-len(pattern) :].lower() == pattern.lower() for name in presented)


def _fingerprint(sender: Sender, resolution: Resolution, certificate: Certificate) -> Why | None:
    """A digest of the certificate or of its public key (smtp_tls_fingerprint_digest)."""
    algorithm = sender.value("smtp_tls_fingerprint_digest").lower()
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        return Why(SimulationCause.NOT_SIMULATED, f"the digest {algorithm} is not known here")
    listed = fingerprints(resolution.attributes, sender.main_cf)
    accepted = {word.replace(":", "").lower() for word in listed}
    leaf = certificate.chain[0]
    texts = [leaf.der, public_key_info(leaf.der) or b""]
    if accepted & {hashlib.new(algorithm, text).hexdigest() for text in texts if text}:
        return None
    return Why(SimulationCause.FINGERPRINT_MISMATCH, f"{algorithm} of neither the certificate nor its key is listed")
