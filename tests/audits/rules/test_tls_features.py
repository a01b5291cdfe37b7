"""Extensions and compression of TLS up to version 1.2."""

import msgspec

from audits.established.tls_features import CbcProtection, ExportKeys, OlderTlsFeatures
from scanner.answers import Fact
from tests.audits.rules.examples import Examples

CBC = ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",)
OPEN = (Fact.INCONCLUSIVE, Fact.NOT_TESTED)


def feature(name: str, seen: Fact) -> OlderTlsFeatures:
    return msgspec.structs.replace(OlderTlsFeatures(), **{name: seen})


def example(name: str, good: Fact, bad: Fact) -> Examples:
    return Examples(
        expects={},
        passes=(feature(name, good),),
        fails=(feature(name, bad),),
        opens=tuple(feature(name, fact) for fact in OPEN),
    )


EXAMPLES = {
    "TLS-010": example("extended_master_secret", Fact.YES, Fact.NO),
    "TLS-011": example("secure_renegotiation", Fact.YES, Fact.NO),
    "TLS-012": example("compression", Fact.NO, Fact.YES),
    "TLS-013": example("truncated_hmac", Fact.NO, Fact.YES),
    "TLS-014": example("heartbeat", Fact.NO, Fact.YES),
    "TLS-015": Examples(
        expects={},
        passes=(CbcProtection(CBC, Fact.YES), CbcProtection((), Fact.NOT_TESTED)),
        fails=(CbcProtection(CBC, Fact.NO),),
        opens=(CbcProtection(CBC, Fact.NOT_TESTED), CbcProtection((), Fact.NOT_TESTED, True)),
    ),
    "TLS-016": Examples(
        expects={},
        passes=(ExportKeys(None, Fact.YES),),
        fails=(ExportKeys(None, Fact.NO), ExportKeys(512, Fact.INCONCLUSIVE)),
        opens=(ExportKeys(None, Fact.INCONCLUSIVE), ExportKeys(None, Fact.NOT_TESTED)),
    ),
}
