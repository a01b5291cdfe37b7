"""Whether a chain leads to an anchor that senders and mail programs trust."""

from audits.established.trust_stores import TrustByStores
from audits.rules.trust_anchors import Stores, trusted_by_stores
from audits.trust import ChainVerdict
from tests.audits.rules.chains import INTER, MX, ROOT, shaped
from tests.audits.rules.examples import Examples
from tests.certificate_factory import SEEN, leaf, self_signed

YES = ChainVerdict(trusted=True)
NO = ChainVerdict(trusted=False, result="certificate-not-trusted", reason="unable to get local issuer certificate")


def by(**verdicts: ChainVerdict) -> TrustByStores:
    return TrustByStores(verdicts, dict.fromkeys(verdicts, "sslyze 6, 0123456789ab"))


EXAMPLES = {
    "TRUST-001": Examples(
        expects={},
        passes=(shaped(leaf(INTER, MX), INTER), shaped(leaf(INTER, MX), INTER, ROOT)),
        fails=(
            shaped(leaf(INTER, MX)),
            shaped(self_signed(MX)),
            shaped(leaf(INTER, MX, not_after=SEEN.replace(year=2025)), INTER),
        ),
    ),
    "TRUST-002": Examples(
        expects={"stores": ["mozilla", "apple"]},
        passes=(by(mozilla=YES, apple=YES, java=NO),),
        fails=(by(mozilla=YES, apple=NO), by(mozilla=NO)),
        opens=(by(mozilla=YES),),
    ),
}


def test_evidence_names_the_edition_of_the_store():
    (item,) = trusted_by_stores.ask(by(apple=NO), Stores(("apple",)))
    assert item.evidence == (
        "apple (sslyze 6, 0123456789ab): certificate-not-trusted: unable to get local issuer certificate"
    )
