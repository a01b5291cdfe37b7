"""Servers configured as baselines recommend, and servers that two baselines judge differently."""

from pathlib import Path

from .enumeration_states import EVERYTHING, front, plus
from .postfix_states import tls
from .states import State

SIX = (
    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305"
).replace(" ", ":")
"""The suites of Mozilla intermediate in the words of OpenSSL, as its Postfix template has them."""
NIST13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
EXCLUDED = (
    "aNULL, MD5, DES, 3DES, DES-CBC3-SHA, RC4-SHA, AES256-SHA, AES128-SHA, eNULL, EXPORT, RC4, PSK, aECDH, "
    "EDH-DSS-DES-CBC3-SHA, EDH-RSA-DES-CDC3-SHA, KRB5-DE5, CBC3-SHA"
)
"""smtpd_tls_exclude_ciphers of the article "TLS configuration", misspelt as it is."""


DH_1024 = Path(__file__).with_name("dh_1024.pem")
"""What the documents make with `openssl gendh` for smtpd_tls_dh1024_param_file. OpenSSL 3 takes none of 512 bits."""


def choosing(name: str, suites: str, *chains: str, **options: str) -> State:
    """A Postfix whose grade high is this list, on every port level."""
    state = tls(name, *(chains or ("good-ecdsa",)), ciphers="high", mandatory_ciphers="high", **options)
    return plus(state, tls_high_cipherlist=suites, tls_preempt_cipherlist="yes")


def s_server(name: str, *words: str, chain: str = "good-rsa") -> State:
    return front(name, "pipe", chain, arguments=" ".join(words))


RECOMMENDED = {
    "mozilla-intermediate": plus(
        choosing("as-mozilla-intermediate", SIX, protocols=">=TLSv1.2"),
        tls_eecdh_auto_curves="X25519 prime256v1 secp384r1",
        tls_preempt_cipherlist="no",
    ),
    "mozilla-modern": plus(
        choosing("as-mozilla-modern", SIX, protocols=">=TLSv1.3"), tls_eecdh_auto_curves="X25519 prime256v1 secp384r1"
    ),
    "ncsc-nl-2025-05": choosing("as-ncsc-nl", f"{SIX}:ECDHE-ECDSA-AES256-CCM:@SECLEVEL=2", protocols=">=TLSv1.2"),
    "rfc9325-bcp195": choosing("as-bcp195", SIX, protocols=">=TLSv1.2"),
    "nist-800-52r2": s_server(
        "as-nist", "-cipher ECDHE+AESGCM", f"-ciphersuites {NIST13}", "-groups P-256:P-384 -serverpref"
    ),
    "bsi-tr-02102-2": s_server(
        "as-bsi",
        "-cipher ECDHE+AESGCM",
        f"-ciphersuites {NIST13}",
        "-groups P-256:P-384:brainpoolP256r1 -serverpref",
        chain="good-ecdsa",
    ),
    "postfix-high": plus(
        tls(
            "as-postfix-high",
            "good-rsa",
            ciphers="high",
            mandatory_ciphers="high",
            exclude_ciphers=EXCLUDED,
            protocols=">=TLSv1.2",
        ),
        tls_preempt_cipherlist="yes",
    ),
}
"""Baseline -> a server set up by its own recommendation."""

OTHERS = [
    choosing("dhe", "DHE-RSA-AES256-GCM-SHA384", "good-rsa", protocols="TLSv1.2"),
    s_server("chacha", "-cipher ECDHE+CHACHA20", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", "-groups X25519:P-256"),
    s_server("cbc-etm", "-cipher ECDHE-RSA-AES128-SHA256", f"-ciphersuites {NIST13}", "-groups P-256"),
    s_server("cbc-plain", "-cipher ECDHE-RSA-AES128-SHA256", f"-ciphersuites {NIST13}", "-groups P-256 -no_etm"),
    s_server("ccm8", "-cipher ECDHE-ECDSA-AES128-CCM8 -tls1_2", "-groups P-256", chain="good-ecdsa"),
    s_server("x25519", "-cipher ECDHE+AESGCM", f"-ciphersuites {NIST13}", "-groups X25519", chain="good-ecdsa"),
    front("hybrid", "pyopenssl", "good-ecdsa"),
    choosing("without-tls13", SIX, protocols="TLSv1.2"),
    plus(
        tls("everything", "good-rsa", "good-ecdsa", protocols=">=TLSv1"),
        tls_medium_cipherlist=EVERYTHING,
        tls_preempt_cipherlist="no",
    ),
    tls("stock", "good-rsa"),
    tls("dh-1024", "good-rsa", dh1024_param_file=str(DH_1024), protocols="TLSv1.2"),
    tls("asks-for-certificates", "good-rsa", ask_ccert="yes"),
    choosing("anonymous", "aNULL:@SECLEVEL=0", "none", protocols="TLSv1.2"),
]
JUDGED = [*RECOMMENDED.values(), *OTHERS]
