"""Which cipher suites a server accepts."""

from audits.established.tls_abilities import AcceptedSuites
from tests.audits.rules.examples import Examples

GOOD = "TLS_AES_256_GCM_SHA384"
BAD = "TLS_RSA_WITH_RC4_128_SHA"

EXAMPLES = {
    "CIPHER-001": Examples(
        expects={"patterns": ["*_RC4_*", "TLS_RSA_*"], "unless": ["TLS_RSA_PSK_*"]},
        passes=(
            AcceptedSuites({"TLSv1.3": (GOOD,)}, frozenset()),
            AcceptedSuites({"TLSv1.2": ("TLS_RSA_PSK_WITH_AES_128_CCM",)}, frozenset()),
        ),
        fails=(
            AcceptedSuites({"TLSv1.2": (BAD,)}, frozenset()),
            AcceptedSuites({"TLSv1.2": (BAD,)}, frozenset(), all_unsettled=True),
        ),
        opens=(
            AcceptedSuites({"TLSv1.3": (GOOD,)}, frozenset({BAD})),
            AcceptedSuites({"TLSv1.3": (GOOD,)}, frozenset(), all_unsettled=True),
        ),
    )
}
