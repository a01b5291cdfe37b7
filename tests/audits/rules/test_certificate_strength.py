"""Keys and signatures of the certificates in a chain."""

import msgspec

from audits.established.certificates import ServedKeys
from scanner.answers import Fact
from tests.audits.rules.chains import GOOD, INTER, MX, ROOT, one, served
from tests.audits.rules.examples import Examples
from tests.certificate_factory import ec_key, ed25519_key, intermediate, leaf, rsa_key, self_signed

KEYS = {"least_bits": {"RSA": 2048, "EC": 256}, "curves": ["secp256r1", "secp384r1"], "multiple_of": 8}
SIGNATURES = {"hashes": ["SHA-256", "SHA-384"], "without_hash": ["ED25519"], "forbidden": ["*WithRSAEncryption"]}


def below(**changes) -> object:
    """A leaf below an intermediate that was changed."""
    issuer = intermediate(ROOT, **changes)
    return served(leaf(issuer, MX), issuer)


def unreadable(**changes: object) -> object:
    broken = msgspec.structs.replace(GOOD.chains[0].leaf, problem="key: broken", **changes)
    chain = msgspec.structs.replace(GOOD.chains[0], certificates=(broken, *GOOD.chains[0].issuers))
    return msgspec.structs.replace(GOOD, chains=(chain,))


EXAMPLES = {
    "CERT-010": Examples(
        expects=KEYS,
        passes=(GOOD, one(MX, key=rsa_key(2048)), one(MX, key=ec_key("SECP384R1"))),
        fails=(
            one(MX, key=rsa_key(1024)),
            one(MX, key=rsa_key(2050)),
            one(MX, key=ec_key("SECP521R1")),
            one(MX, key=ec_key("SECP224R1")),
            one(MX, key=ed25519_key()),
        ),
        opens=(unreadable(key=None),),
    ),
    "CERT-011": Examples(
        expects=KEYS,
        passes=(GOOD, served(leaf(INTER, MX, key=rsa_key(1024)), INTER)),
        fails=(below(key=rsa_key(1024)),),
    ),
    "CERT-012": Examples(
        expects=SIGNATURES,
        passes=(
            GOOD,
            one(MX, hash="sha384"),
            served(leaf(intermediate(ROOT, "Ed CA", key=ed25519_key()), MX)),
        ),
        fails=(
            one(MX, hash="sha1"),
            served(leaf(intermediate(ROOT, "RSA CA", key=rsa_key(2048)), MX)),
            served(self_signed(MX, key=rsa_key(2048)), anchored=False),
        ),
        opens=(unreadable(signature_algorithm="", signature_hash=""),),
    ),
    "CERT-013": Examples(expects=SIGNATURES, passes=(GOOD,), fails=(below(hash="sha1"),)),
    "CERT-014": Examples(
        expects={"all_of": ["RSA", "EC"], "none_of": ["DSA"]},
        passes=(ServedKeys({"RSA": Fact.YES, "EC": Fact.YES}),),
        fails=(
            ServedKeys({"RSA": Fact.YES, "EC": Fact.NO}),
            ServedKeys({"RSA": Fact.YES, "EC": Fact.YES, "DSA": Fact.YES}),
        ),
        opens=(ServedKeys({"RSA": Fact.YES}), ServedKeys({"RSA": Fact.INCONCLUSIVE, "EC": Fact.YES})),
    ),
}
