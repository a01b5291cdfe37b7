"""Random configurations of a sending Postfix, and the domains that each sends to: seeded, so that a failure repeats."""

from collections.abc import Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

SEED = 20060121
"""The day of the patch that made the order of the rules what it is."""
CONFIGURATIONS = 44
DOMAINS_EACH = 11
FOLDER = "{folder}"
"""Stands for the folder of the tables and of the trust anchors."""

FINGERPRINT = "{fingerprint}"
"""Stands for the digest of a certificate of the lab."""

SITE_VALUES = ("NONE", "MAY", "may", "MUST_NOPEERMATCH", "MUST", "must", "MUST x", "encrypt")
LEVELS = ("none", "may", "encrypt", "verify", "secure", "fingerprint")
POLICIES = (
    *("none", "may", "encrypt", "verify", "secure", "verify match=nexthop", "verify match=hostname:.test"),
    *("secure match=nexthop:dot-nexthop", "secure match=.test", "encrypt protocols=TLSv1.2", "may protocols=TLSv1.3"),
    *("encrypt ciphers=high", "may exclude=aNULL", "may exclude=ECDHE:DHE", "verify ciphers=high exclude=SHA1"),
    *("fingerprint match=00:11", "may match=x", "nonsense", "dane", "encrypt protocols=!TLSv1.3:!TLSv1.2"),
    *(f"fingerprint match={FINGERPRINT}",) * 3,
    *("verify protocols=>=TLSv1.2:<=TLSv1.2", "may servername=mx.good-rsa.test", "secure match=good-rsa.test"),
)
TRUST = (
    *({"smtp_tls_CAfile": f"{FOLDER}/root.pem"},) * 5,
    {},
    {"smtp_tls_CAfile": f"{FOLDER}/stranger.pem"},
    {"smtp_tls_CApath": f"{FOLDER}/hashed"},
    {"tls_append_default_CA": "yes"},
    {"tls_append_default_CA": "yes", "smtp_tls_CAfile": f"{FOLDER}/stranger.pem"},
    {"smtp_tls_CAfile": f"{FOLDER}/stranger.pem", "smtp_tls_CApath": f"{FOLDER}/hashed"},
)
EXTRAS: tuple[dict[str, str], ...] = (
    *({},) * 6,
    {"smtp_tls_protocols": "TLSv1.2"},
    {"smtp_tls_protocols": ">=TLSv1.2", "smtp_tls_mandatory_protocols": "TLSv1.3"},
    {"smtp_tls_protocols": "!TLSv1.3", "smtp_tls_mandatory_protocols": "!TLSv1.3"},
    {"smtp_tls_mandatory_protocols": "TLSv1, TLSv1.1"},
    {"smtp_tls_exclude_ciphers": "aNULL"},
    {"smtp_tls_mandatory_exclude_ciphers": "aNULL, MD5"},
    {"smtp_tls_mandatory_ciphers": "high", "smtp_tls_ciphers": "high"},
    {"smtp_tls_scert_verifydepth": "0"},
    {"smtp_tls_scert_verifydepth": "10"},
    {"smtp_tls_verify_cert_match": "nexthop, dot-nexthop"},
    {"smtp_tls_secure_cert_match": "hostname"},
    {"smtp_mx_session_limit": "1"},
    {"smtp_mx_session_limit": "0", "smtp_mx_address_limit": "2"},
    {"smtp_mx_address_limit": "1"},
    {"smtp_fallback_relay": "[mx.good-rsa.test]"},
    {"smtp_fallback_relay": "no-tls.test, [mx.good-ecdsa.test]:25"},
    {"smtp_cname_overrides_servername": "yes"},
    {"inet_protocols": "ipv4"},
    {"smtp_tls_wrappermode": "yes"},
)
NEXT_HOPS = (
    *("",) * 10,
    "[mx.good-rsa.test]",
    "[mx.expired.test]:25",
    "no-tls.test, good-ecdsa.test",
    "several-expired-good.test",
    "[mx.refused.test], [mx.tls-close.test]",
    "no-such-domain.test, good-rsa.test",
)


class Draw(Struct, frozen=True):
    """One configuration: settings of smtp(8), tables by file name, a next-hop for all mail ("": none), its domains."""

    label: str
    settings: dict[str, str]
    files: dict[str, str]
    next_hop: str
    domains: tuple[str, ...]


def draws(domains: Sequence[str], hosts: dict[str, list[str]], fingerprints: Sequence[str]) -> list[Draw]:
    """All configurations; `hosts` are the names of the MX hosts of each domain."""
    random = Random(SEED)
    drawn = [_draw(random, f"w{number:03}", domains, hosts) for number in range(CONFIGURATIONS)]
    return [_with_fingerprints(random, draw, fingerprints) for draw in drawn]


def _with_fingerprints(random: Random, draw: Draw, fingerprints: Sequence[str]) -> Draw:
    """The placeholders filled in; the level fingerprint needs a list."""
    files = {name: text.replace(FINGERPRINT, random.choice(fingerprints)) for name, text in draw.files.items()}
    listed = {"smtp_tls_fingerprint_cert_match": ", ".join(random.sample(list(fingerprints), 4))}
    wanted = listed if draw.settings.get("smtp_tls_security_level") == "fingerprint" else {}
    return replace(draw, files=files, settings=draw.settings | wanted)


def _draw(random: Random, label: str, domains: Sequence[str], hosts: dict[str, list[str]]) -> Draw:
    chosen = tuple(random.sample(list(domains), DOMAINS_EACH))
    next_hop = random.choice(NEXT_HOPS)
    settings = _global(random) | random.choice(TRUST) | random.choice(EXTRAS)
    files: dict[str, str] = {}
    keys = [key for domain in chosen for key in (domain, *hosts.get(domain, []))]
    keys += [hop for hop in next_hop.replace(" ", "").split(",") if hop] * 3
    match random.choice(("none", "per-site", "per-site", "policy", "policy", "regexp")):
        case "per-site":
            files[label] = _table(random, keys, SITE_VALUES)
            settings["smtp_tls_per_site"] = f"texthash:{FOLDER}/{label}"
        case "policy":
            files[label] = _table(random, [*keys, ".test", *chosen], POLICIES)
            settings["smtp_tls_policy_maps"] = f"texthash:{FOLDER}/{label}"
        case "regexp":
            rules = [f"/{random.choice(('good', 'tls', 'several', 'ed', '^mx'))}/ {random.choice(SITE_VALUES)}\n"]
            files[label] = "".join(rules * 1) + f"/^several-[a-m]/ {random.choice(SITE_VALUES)}\n"
            settings["smtp_tls_per_site"] = f"regexp:{FOLDER}/{label}"
    return Draw(label, settings, files, next_hop, chosen)


def _global(random: Random) -> dict[str, str]:
    """The three switches, or a level."""
    if random.random() < 0.5:
        return {"smtp_tls_security_level": random.choice(LEVELS)}
    switches = ("smtp_use_tls", "smtp_enforce_tls", "smtp_tls_enforce_peername")
    return {name: random.choice(("yes", "no")) for name in switches}


def _table(random: Random, keys: Sequence[str], values: Sequence[str]) -> str:
    """Entries for about half of the keys, in either case."""
    entries = {}
    for key in keys:
        if random.random() < 0.5:
            entries[key] = random.choice(values)
    return "".join(f"{key.upper() if random.random() < 0.2 else key} {value}\n" for key, value in entries.items())
