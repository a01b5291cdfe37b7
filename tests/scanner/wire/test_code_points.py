"""Numbers and names against independent sources: tlslite-ng's constants and the installed OpenSSL."""

import subprocess

import pytest

from scanner.wire import code_points
from scanner.wire.code_points import (
    ALERT_NAMES,
    EXTENSION_NAMES,
    GROUP_NAMES,
    SCHEME_NAMES,
    AlertDescription,
    ExtensionType,
    scheme_name,
)
from tests.scanner.wire.independent_tls import constants


def numbers(source: type, *, renamed: dict[str, str]) -> dict[str, int]:
    found = {name: value for name, value in vars(source).items() if isinstance(value, int) and name[0] != "_"}
    return {renamed.get(name, name): value for name, value in found.items()}


def test_groups_agree_with_tlslite():
    ours = {name.lower(): code for code, name in GROUP_NAMES.items()}
    theirs = numbers(constants.GroupName, renamed={})
    shared = {name.lower(): code for name, code in theirs.items() if name.lower() in ours}
    assert len(shared) > 30
    assert shared == {name: ours[name] for name in shared}


def test_alerts_agree_with_tlslite():
    theirs = numbers(constants.AlertDescription, renamed={})
    ours = {name.removesuffix("_RESERVED"): code for code, name in ALERT_NAMES.items()}
    shared = {name: code for name, code in theirs.items() if name in ours}
    assert len(shared) > 25
    assert shared == {name: ours[name] for name in shared}


def test_extensions_agree_with_tlslite():
    theirs = numbers(constants.ExtensionType, renamed={"cert_type": "cert_type", "alpn": EXTENSION_NAMES[16]})
    ours = {name: code for code, name in EXTENSION_NAMES.items()}
    shared = {name: code for name, code in theirs.items() if name in ours}
    assert len(shared) > 15
    assert shared == {name: ours[name] for name in shared}


def test_signature_schemes_agree_with_tlslite():
    ours = {name: code for code, name in SCHEME_NAMES.items()}
    theirs = {
        name: value[0] << 8 | value[1]
        for name, value in vars(constants.SignatureScheme).items()
        if isinstance(value, tuple) and name in ours
    }
    assert len(theirs) > 12
    assert theirs == {name: ours[name] for name in theirs}


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384", "P-521", "brainpoolP256r1", "ffdhe2048"])
def test_openssl_knows_the_curves_that_matter(group):
    command = ["openssl", "s_client", "-groups", group, "-help"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_hybrid_groups():
    assert GROUP_NAMES[0x11EB] == "SecP256r1MLKEM768"
    assert GROUP_NAMES[0x11EC] == "X25519MLKEM768"
    assert GROUP_NAMES[0x11ED] == "SecP384r1MLKEM1024"
    assert GROUP_NAMES[0x6399] == "X25519Kyber768Draft00"


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x0804, "rsa_pss_rsae_sha256"), (0x0301, "sha224+rsa"), (0x0202, "sha1+dsa"), (0xFEFE, "0xFEFE")],
)
def test_scheme_names(code, name):
    assert scheme_name(code) == name


def test_names_of_the_unknown_are_numbers():
    assert code_points.group_name(0x9999) == "0x9999"
    assert code_points.version_name(0x7F17) == "0x7F17"
    assert code_points.extension_name(0x1234) == "0x1234"
    assert code_points.alert_name(250) == "alert 250"


def test_enumerations_and_name_tables_agree():
    named = {
        "SERVER_NAME": "server_name",
        "ALPN": "application_layer_protocol_negotiation",
        "RENEGOTIATION_INFO": "renegotiation_info",
    }
    kinds = numbers(ExtensionType, renamed=named)
    assert {EXTENSION_NAMES[kind] for kind in kinds.values()} == {name.lower() for name in kinds}
    alerts = numbers(AlertDescription, renamed={})
    assert {ALERT_NAMES[alert] for alert in alerts.values()} == {name.lower() for name in alerts}
