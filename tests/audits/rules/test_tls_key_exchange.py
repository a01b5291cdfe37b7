"""The groups of (EC)DHE, and the primes of Diffie-Hellman."""

from audits.established.tls_key_exchange import DhGroups, KeyExchangeGroups
from scanner.wire_facts import DhFacts
from tests.audits.rules.examples import Examples

SMALL, HYBRID = "secp192r1", "X25519MLKEM768"


def groups(*names: str, refused: tuple[str, ...] = (), complete: bool = True) -> KeyExchangeGroups:
    return KeyExchangeGroups({"TLSv1.3": names} if names else {}, frozenset(refused), complete)


def prime(bits: int, name: str = "", *, named_offered: bool = True) -> DhFacts:
    return DhFacts(bits, name, "ab" * 32, 2, named_offered, ("TLSv1.2",), "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")


def primes(*seen: DhFacts, settled: bool = True) -> DhGroups:
    return DhGroups(seen, settled)


EXAMPLES = {
    "KEX-001": Examples(
        expects={"forbidden": [SMALL, "sect163k1"]},
        passes=(groups("x25519"), groups("x25519", complete=False, refused=(SMALL, "sect163k1"))),
        fails=(groups("x25519", SMALL), groups(SMALL, complete=False)),
        opens=(groups("x25519", complete=False), groups("x25519", complete=False, refused=(SMALL,))),
    ),
    "KEX-002": Examples(
        expects={"allowed": ["x25519", "secp256r1"]},
        passes=(groups("secp256r1"), groups("secp256r1", "x25519")),
        fails=(groups("x25519", SMALL), groups(SMALL, complete=False)),
        opens=(groups("x25519", complete=False),),
    ),
    "KEX-003": Examples(
        expects={"any_of": [HYBRID, "SecP256r1MLKEM768"], "meaning": {HYBRID: "post-quantum"}},
        passes=(groups("x25519", HYBRID), groups(HYBRID, complete=False)),
        fails=(groups("x25519"), groups(complete=False, refused=(HYBRID, "SecP256r1MLKEM768"))),
        opens=(groups("x25519", complete=False), groups("x25519", complete=False, refused=(HYBRID,))),
    ),
    "DH-001": Examples(
        expects={"min_bits": 2048},
        passes=(primes(prime(2048)), primes(prime(3072, "ffdhe3072"), prime(2048, named_offered=False))),
        fails=(primes(prime(1024)), primes(prime(2048), prime(512), settled=False)),
        opens=(primes(prime(2048, "ffdhe2048"), settled=False),),
    ),
    "DH-002": Examples(
        expects={"allowed": ["ffdhe3072", "ffdhe4096"]},
        passes=(primes(prime(3072, "ffdhe3072")),),
        fails=(primes(prime(3072)), primes(prime(2048, "ffdhe2048"), settled=False)),
        opens=(primes(prime(3072, "ffdhe3072"), settled=False),),
    ),
    "DH-003": Examples(
        expects={"min_bits": 2048},
        passes=(primes(prime(1024)), primes(prime(2048, "ffdhe2048"))),
        fails=(primes(prime(1024, "modp1024")),),
        opens=(primes(prime(2048, "ffdhe2048"), settled=False),),
    ),
}
