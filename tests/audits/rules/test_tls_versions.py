"""Which protocol versions a server speaks."""

from audits.established.tls_abilities import ProtocolVersions
from scanner.answers import Fact
from tests.audits.rules.examples import Examples


def versions(**offered: Fact) -> ProtocolVersions:
    return ProtocolVersions({f"TLSv1.{name[-1]}": fact for name, fact in offered.items()}, {"TLSv1.0": "alert 70"})


EXAMPLES = {
    "TLS-001": Examples(
        expects={"forbidden": ["TLSv1.0", "TLSv1.1"]},
        passes=(versions(v0=Fact.NO, v1=Fact.NO, v2=Fact.YES),),
        fails=(versions(v0=Fact.YES, v1=Fact.INCONCLUSIVE),),
        opens=(versions(v0=Fact.NO, v1=Fact.INCONCLUSIVE), versions(v2=Fact.YES)),
    ),
    "TLS-002": Examples(
        expects={"any_of": ["TLSv1.2", "TLSv1.3"]},
        passes=(versions(v2=Fact.YES, v3=Fact.INCONCLUSIVE),),
        fails=(versions(v2=Fact.NO, v3=Fact.NO),),
        opens=(versions(v2=Fact.NO, v3=Fact.INCONCLUSIVE), versions(v2=Fact.NO)),
    ),
}
