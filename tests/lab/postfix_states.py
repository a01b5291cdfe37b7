"""The states that Postfix servers show: certificates, protocol windows, policies. Options are those of main.cf."""

from .certificate_states import BY_ADDRESS, CHAINS
from .states import Kind, State


def tls(name: str, *chains: str, **options: str) -> State:
    """A state that differs from the plain one in smtpd_tls_ options (given without that prefix) and its chains."""
    prefixed = {f"smtpd_tls_{word}": value for word, value in options.items()}
    return State(name=name, chains=chains or ("good-rsa",), options=prefixed)


PLAINTEXT_REFUSED = {"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "reject_plaintext_session"}

CERTIFICATES = [State(name=name, chains=(name,)) for name in CHAINS if name not in BY_ADDRESS | {"u-label", "a-label"}]

PROTOCOLS = [
    tls("tls10-only", protocols="TLSv1"),
    tls("tls11-only", protocols="TLSv1.1"),
    tls("tls10-and-11", protocols=">=TLSv1, <=TLSv1.1"),
    tls("tls12-only", protocols="TLSv1.2"),
    tls("tls12-only-ecdsa", "good-ecdsa", protocols="TLSv1.2"),
    tls("tls13-only", protocols="TLSv1.3"),
    tls("rsa-and-ecdsa", "good-rsa", "good-ecdsa"),
    tls("rsa-and-ecdsa-tls12", "good-rsa", "good-ecdsa", protocols="TLSv1.2"),
    tls("dhe-only", protocols="TLSv1.2", eecdh_grade="none", exclude_ciphers="kRSA, kECDH, ECDH, kECDHE"),
    tls("rsa-512-tls12", "rsa-512", protocols="TLSv1.2"),
    tls("rsa-512-tls10", "rsa-512", protocols="TLSv1"),
    tls("dhe-only-tls13", protocols="TLSv1.3", eecdh_grade="none"),
    tls("rsa-exchange-only", protocols="TLSv1.2", exclude_ciphers="kDHE, kECDHE, ADH, AECDH"),
    tls("chacha-only", protocols="TLSv1.2", exclude_ciphers="AES, CAMELLIA, ARIA, aNULL"),
    tls("high-only", mandatory_ciphers="high", ciphers="high"),
    tls("no-anonymous", protocols="TLSv1.2", exclude_ciphers="aNULL"),
    tls("client-preference", protocols="TLSv1.2"),
    tls("no-certificate", "none"),
    tls("no-certificate-tls12", "none", protocols="TLSv1.2"),
]

POLICIES = [
    tls("no-tls", security_level="none"),
    tls("tls-demanded", security_level="encrypt"),
    tls("tls-demanded-expired", "expired", security_level="encrypt"),
    tls("tls-demanded-no-certificate", "none", security_level="encrypt"),
    tls("tls-demanded-tls10", protocols="TLSv1", mandatory_protocols="TLSv1", security_level="encrypt"),
    tls("client-certificate-asked", ask_ccert="yes"),
    tls("client-certificate-required", security_level="encrypt", req_ccert="yes"),
    tls(
        "client-certificate-required-tls12",
        security_level="encrypt",
        mandatory_protocols="TLSv1.2",
        req_ccert="yes",
    ),
    State(name="ehlo-hides-starttls", options={"smtpd_discard_ehlo_keywords": "starttls"}),
    State(name="no-esmtp", options={"smtpd_discard_ehlo_keywords": "pipelining, size, dsn, 8bitmime, chunking"}),
    State(name="mail-550", options={"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "reject"}),
    State(name="mail-450", options={"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "defer"}),
    State(name="ehlo-550", options={"smtpd_delay_reject": "no", "smtpd_helo_restrictions": "reject"}),
    State(name="connect-554", options={"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject"}),
    State(name="mail-plaintext-450", options=PLAINTEXT_REFUSED),
    State(name="mail-plaintext-554", options={**PLAINTEXT_REFUSED, "plaintext_reject_code": "554"}),
]

INTERNATIONAL = [
    State(name="xn--bcher-kva", chains=("a-label",)),
    State(name="xn--mnchen-3ya", chains=("u-label",)),
]

EVERYTHING = [
    State(name="everything", chains=("every-host",)),
    State(name="everything-too", chains=("every-host",)),
    State(name="everything-expired", chains=("every-host-expired",)),
    State(name="everything-ipv6", chains=("every-host",), ipv6=True),
    State(name="wildcard-everything", chains=("wildcard-top",)),
    State(name="address-san", chains=("its-address",)),
]
"""For MX hosts below `every.test`, and for MX records that hold an address."""

NOBODY = [State(name=name, kind=Kind.NOBODY) for name in ("refused", "also-refused")]

POSTSCREEN = [
    State(name="postscreen", kind=Kind.POSTSCREEN),
    State(name="postscreen-expired", kind=Kind.POSTSCREEN, chains=("expired",)),
    State(
        name="postscreen-drops",
        kind=Kind.POSTSCREEN,
        options={"postscreen_access_list": "cidr:{{0.0.0.0/0 reject}}", "postscreen_denylist_action": "drop"},
    ),
]

IPV6 = [
    State(name="ipv6-good", ipv6=True),
    State(name="ipv6-expired", ipv6=True, chains=("expired",)),
    State(name="ipv6-no-tls", ipv6=True, options={"smtpd_tls_security_level": "none"}),
    State(name="ipv6-address-san", ipv6=True, chains=("its-address",)),
]

SUBMISSION = [
    State(name="submission-good", ports=(25, 465, 587)),
    State(name="submission-expired", ports=(25, 465, 587), chains=("expired",)),
    State(name="submission-587-only", ports=(25, 587)),
]

POSTFIX_STATES = [
    *CERTIFICATES,
    *PROTOCOLS,
    *POLICIES,
    *INTERNATIONAL,
    *EVERYTHING,
    *NOBODY,
    *POSTSCREEN,
    *IPV6,
    *SUBMISSION,
]
