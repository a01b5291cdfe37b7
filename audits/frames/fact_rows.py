"""Rows of the frames that come from facts: connections and certificates. An endpoint counts once, whoever shares it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from audits.diff.certificates import issuer_name
from scanner.facts import EndpointFacts, SessionFacts
from scanner.tls_facts import CertificateFacts

Row = dict[str, Any]
_DAY = timedelta(days=1)


def handshake_rows(run: str, facts: EndpointFacts) -> Iterator[Row]:
    """The rows of the frame `handshakes`."""
    for number, session in enumerate(facts.sessions, 1):
        yield {
            "run": run,
            "address": facts.endpoint.address,
            "port": facts.endpoint.port,
            "sni": facts.endpoint.sni,
            "session": number,
            "seen_at": facts.seen_at,
            **_session(session),
        }


def _session(session: SessionFacts) -> Row:
    shake, failure = session.handshake, session.failure
    words = (failure.reply.text if failure.reply else failure.detail) if failure else ""
    return {
        "hello": session.hello.value,
        "greeting": session.greeting.text if session.greeting else "",
        "version": shake.version if shake else "",
        "suite": shake.suite if shake else "",
        "group": shake.group if shake else "",
        "leaf_sha256": shake.chain[0] if shake and shake.chain else "",
        "chain_length": len(shake.chain) if shake else None,
        "failed_stage": failure.stage.value if failure else None,
        "failed_kind": failure.kind.value if failure else None,
        "failed_words": words,
        "transcript": "\n".join(session.transcript),
    }


class CertificatesSeen:
    """Gathers the certificates while the endpoints go by."""

    def __init__(self) -> None:
        self._known: dict[str, CertificateFacts] = {}
        self._endpoints: dict[str, int] = {}
        self._leaves: set[str] = set()

    def take(self, facts: EndpointFacts) -> None:
        """Counts the certificates of one endpoint."""
        for certificate in facts.certificates:
            self._known.setdefault(certificate.sha256, certificate)
            self._endpoints[certificate.sha256] = self._endpoints.get(certificate.sha256, 0) + 1
        chains = [session.handshake.chain for session in facts.sessions if session.handshake]
        chains += [each.chain for each in facts.tls.chains] if facts.tls else []
        self._leaves.update(chain[0] for chain in chains if chain)

    def rows(self, run: str) -> Iterator[Row]:
        """The rows of the frame `certificates`, in the order in which they were met."""
        for sha256, certificate in self._known.items():
            yield {
                "run": run,
                "role": "leaf" if sha256 in self._leaves else "issuer",
                "endpoints": self._endpoints[sha256],
                **_certificate(certificate),
            }


def _certificate(certificate: CertificateFacts) -> Row:
    begin, end, key = certificate.not_before, certificate.not_after, certificate.key
    return {
        "sha256": certificate.sha256,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "issuer_organisation": issuer_name(certificate.issuer),
        "serial": certificate.serial,
        "names": "\n".join(certificate.names_dns or certificate.common_names),
        "not_before": begin,
        "not_after": end,
        "lifetime_days": -((begin - end) // _DAY) if begin and end else None,
        "key": f"{key.algorithm} {key.curve or key.bits}" if key else "",
        "signature": certificate.signature_algorithm,
        "is_ca": certificate.is_ca,
        "self_issued": certificate.self_issued,
    }
