"""TLSRPT: where senders report trouble with TLS to."""

from audits.established.published_policy import TlsReporting
from scanner.policy_facts import TlsRptFacts
from tests.audits.rules.examples import Examples


def record(*destinations: str, problem: str = "", missing: str = "") -> TlsReporting:
    return TlsReporting(TlsRptFacts("v=TLSRPTv1; ...", destinations, problem, missing=missing))


MAIL, WEB = "mailto:tls@example.org", "https://reports.example.org/tls"
NONE = TlsReporting(None)
BAD = record(problem="the record has no rua")

EXAMPLES = {
    "RPT-001": Examples(expects={}, passes=(record(MAIL), BAD), fails=(NONE,)),
    "RPT-002": Examples(expects={}, passes=(record(MAIL, WEB),), fails=(BAD,)),
    "RPT-003": Examples(
        expects={"any_of": ["mailto"], "none_of": ["https"]},
        passes=(record(MAIL), record(MAIL.upper())),
        fails=(record(WEB), record(MAIL, WEB)),
    ),
    "RPT-004": Examples(
        expects={}, passes=(record(MAIL),), fails=(record("mailto:t@gone.example", missing="gone.example"),)
    ),
}
