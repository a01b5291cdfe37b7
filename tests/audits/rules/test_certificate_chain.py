"""The shape of the chain that a server sends."""

import msgspec

from tests.audits.rules.chains import INTER, MX, ROOT, shaped
from tests.audits.rules.examples import Examples
from tests.certificate_factory import SEEN, intermediate, leaf, self_signed

SECOND = intermediate(INTER, "Second Intermediate CA")
LONG = leaf(SECOND, MX)
GOOD = shaped(leaf(INTER, MX), INTER)
OWN = shaped(self_signed(MX))
EXPIRED = shaped(leaf(INTER, MX, not_after=SEEN.replace(year=2025)), INTER)
UNREADABLE = msgspec.structs.replace(
    GOOD, trust=msgspec.structs.replace(GOOD.trust, trusted=False, error_code=1, error_depth=None)
)

EXAMPLES = {
    "CERT-030": Examples(
        expects={},
        passes=(GOOD, OWN, shaped(LONG, SECOND, INTER, ROOT)),
        fails=(shaped(LONG, INTER, SECOND), shaped(LONG, ROOT, INTER, SECOND)),
    ),
    "CERT-031": Examples(
        expects={},
        passes=(GOOD, shaped(LONG, SECOND, INTER), OWN, EXPIRED, shaped(leaf(ROOT, MX))),
        fails=(shaped(leaf(INTER, MX)), shaped(LONG, SECOND), shaped(LONG, INTER)),
        opens=(UNREADABLE,),
    ),
    "CERT-032": Examples(
        expects={},
        passes=(GOOD, shaped(leaf(INTER, MX), INTER, ROOT, root_needed=True), OWN),
        fails=(shaped(leaf(INTER, MX), INTER, ROOT),),
    ),
    "CERT-033": Examples(expects={"at_most": 2}, passes=(GOOD, OWN), fails=(shaped(LONG, SECOND, INTER),)),
    "CERT-034": Examples(expects={}, passes=(GOOD, EXPIRED), fails=(OWN,)),
}


def test_the_missing_issuer_is_named():
    assert shaped(leaf(INTER, MX)).missing_issuer == "CN=Example Intermediate CA"
    assert shaped(LONG, SECOND).missing_issuer == "CN=Example Intermediate CA"
