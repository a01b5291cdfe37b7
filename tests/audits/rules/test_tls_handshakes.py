"""What a server wants and shows in its handshakes."""

from audits.established.tls_handshakes import (
    ClientCertificateRequest,
    HandshakeSignatures,
    HelloTolerance,
    ServerAuthentication,
    Stapling,
)
from audits.rules.tls_handshakes import stapled
from scanner.answers import Fact
from tests.audits.rules.examples import Examples

PSS, PKCS1 = "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"
OPEN = (Fact.INCONCLUSIVE, Fact.NOT_TESTED)


def signing(sha1: Fact = Fact.NO, **schemes: str) -> HandshakeSignatures:
    return HandshakeSignatures({f"TLSv1.{name[-1]}": (scheme,) for name, scheme in schemes.items()}, sha1)


EXAMPLES = {
    "TLS-020": Examples(
        expects={},
        passes=(ClientCertificateRequest(Fact.NO, "not requested"),),
        fails=(ClientCertificateRequest(Fact.YES, "requested in TLSv1.3"),),
        opens=tuple(ClientCertificateRequest(fact, "open") for fact in OPEN),
    ),
    "TLS-021": Examples(
        expects={},
        passes=(ServerAuthentication(("RSA",), 1), ServerAuthentication((), 2)),
        fails=(ServerAuthentication((), 0),),
    ),
    "TLS-022": Examples(
        expects={},
        passes=(Stapling(Fact.YES, responder=True, must_staple=False),),
        fails=(
            Stapling(Fact.NO, responder=True, must_staple=False),
            Stapling(Fact.NO, responder=False, must_staple=True),
        ),
        opens=tuple(Stapling(fact, responder=True, must_staple=False) for fact in OPEN),
    ),
    "TLS-023": Examples(
        expects={},
        passes=(HelloTolerance(Fact.YES),),
        fails=(HelloTolerance(Fact.NO),),
        opens=tuple(map(HelloTolerance, OPEN)),
    ),
    "SIG-001": Examples(
        expects={},
        passes=(signing(Fact.NO),),
        fails=(signing(Fact.YES),),
        opens=tuple(map(signing, OPEN)),
    ),
    "SIG-002": Examples(
        expects={"forbidden": [PKCS1], "versions": ["TLSv1.2"]},
        passes=(signing(v2=PSS), signing(v1=PKCS1, v2=PSS)),
        fails=(signing(v2=PKCS1),),
    ),
}


def test_without_a_responder_there_is_nothing_to_staple():
    assert not [*stapled.ask(Stapling(Fact.NO, responder=False, must_staple=False), None)]
