"""The suite table: complete, free of contradictions, and the same as OpenSSL's where OpenSSL knows a suite."""

import subprocess
import sys
from pathlib import Path

import pytest

from scanner.wire.registry import all_suites, offered_suites, openssl_name, suite, suite_code, suite_name
from scanner.wire.suite_traits import Trait

ROOT = Path(__file__).resolve().parents[3]


def openssl_listing() -> dict[int, tuple[str, str]]:
    command = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in listing.splitlines()]
    return {int(f[0].replace(",0x", ""), 16): (f[2], f[4]) for f in fields}


def test_agrees_with_every_suite_of_the_installed_openssl():
    listed = openssl_listing()
    assert len(listed) > 100
    assert {code: (suite(code).name, suite(code).openssl_name) for code in listed} == listed


def test_traits_agree_with_the_columns_of_the_installed_openssl():
    command = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exchanges = {"ECDH": "ECDHE", "DH": "DHE", "DHEPSK": "DHE_PSK", "ECDHEPSK": "ECDHE_PSK", "RSAPSK": "RSA_PSK"}
    authentications = {"None": "anon"}
    for line in listing.splitlines():
        fields = line.split()
        columns = dict(field.split("=") for field in fields[6:])
        parts = suite(int(fields[0].replace(",0x", ""), 16)).parts
        assert parts.key_exchange == exchanges.get(columns["Kx"], columns["Kx"]), line
        assert parts.authentication == authentications.get(columns["Au"], columns["Au"]), line
        assert (parts.mac == "AEAD") == (columns["Mac"] == "AEAD"), line
        strength = columns["Enc"].partition("(")[2].rstrip(")") or "0"
        assert str(parts.bits) == {"168": "112"}.get(strength, strength), line


def test_committed_table_is_what_the_script_makes():
    script = [sys.executable, str(ROOT / "data" / "make_cipher_suites.py"), "--check"]
    assert subprocess.run(script, check=False).returncode == 0


def test_holds_every_assigned_code_point():
    registered = [one for one in all_suites() if one.registered]
    assert len(registered) == 352
    assert len(all_suites()) == len({one.code for one in all_suites()}) == len({one.name for one in all_suites()})


def test_every_row_says_where_it_comes_from():
    assert all(one.seen_in and one.reference for one in all_suites())
    assert not [one for one in all_suites() if "memory" in one.seen_in]


def test_every_suite_is_taken_apart_completely():
    for one in all_suites():
        if one.has(Trait.SIGNALLING):
            continue
        assert one.parts.key_exchange, one.name
        assert one.parts.cipher, one.name
        assert one.parts.mac, one.name
        assert (one.parts.bits == 0) == one.has(Trait.NULL), one.name


@pytest.mark.parametrize(
    ("code", "name", "openssl"),
    [
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        (0x0004, "TLS_RSA_WITH_RC4_128_MD5", "RC4-MD5"),
        (0xC0AA, "TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE-PSK-AES128-CCM8"),
        (0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ],
)
def test_looks_up_in_every_direction(code, name, openssl):
    assert suite_name(code) == name
    assert suite_code(name) == suite_code(openssl) == code
    assert openssl_name(name) == openssl


def test_unknown_codes_and_names_stay_usable():
    assert suite_name(0xABCD) == "0xABCD"
    assert suite(0xABCD).parts.key_exchange == ""
    assert suite_code("TLS_MADE_UP") is None
    assert openssl_name("TLS_MADE_UP") == ""


def test_offers_are_disjoint_and_without_signals():
    old, new = set(offered_suites(tls13=False)), set(offered_suites(tls13=True))
    assert not old & new
    assert {0x0000, 0x00FF, 0x5600}.isdisjoint(old | new)
    assert {0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x00C6, 0xC0B4} <= new
    assert len(old) + len(new) + 3 == len(all_suites())


def test_table_is_not_read_before_it_is_needed():
    probe = "import scanner.wire.registry as r; print(r._table.cache_info().currsize)"
    shown = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert shown.strip() == "0"
