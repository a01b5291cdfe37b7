#!/usr/bin/env python3
"""Write scanner/wire/cipher_suites.csv: every TLS cipher suite code point, its names, and where the row comes from.

    python data/make_cipher_suites.py [--iana tls-parameters-4.csv] [--check]

Three sources are merged, and a contradiction between them stops the script:

- `data/cipher-suites-evidence.csv` names the code points, with the programs in which each row was seen;
- `openssl ciphers -V -stdname` of the OpenSSL on this machine confirms code, IANA name and OpenSSL name;
- `ASSIGNED` below is IANA's registry (TLS Cipher Suites, tls-parameters-4.csv) reduced to the assigned ranges and the
  document behind each, read in a stored copy of 2023 (which still called 0x1306 TLS_AEGIS_256_SHA384). With `--iana` a
  fresh copy of that file is compared row by row. Rows marked `iana-2023` were seen nowhere but there, or checked there.

A code point outside these ranges was never registered: it stays in the table, because servers do answer to some of
them, with `registered` = no and its origin as the reference.
"""

import argparse
import csv
import io
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = ROOT / "data" / "cipher-suites-evidence.csv"
TABLE = ROOT / "scanner" / "wire" / "cipher_suites.csv"
COLUMNS = ("code", "name", "openssl_name", "registered", "reference", "seen_in")
OPENSSL = ("openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")

ASSIGNED = (
    (0x0000, 0x001B, "RFC 5246"),
    (0x001E, 0x002B, "RFC 2712"),
    (0x002C, 0x002E, "RFC 4785"),
    (0x002F, 0x0040, "RFC 5246"),
    (0x0041, 0x0046, "RFC 5932"),
    (0x0067, 0x006D, "RFC 5246"),
    (0x0084, 0x0089, "RFC 5932"),
    (0x008A, 0x0095, "RFC 4279"),
    (0x0096, 0x009B, "RFC 4162"),
    (0x009C, 0x00A7, "RFC 5288"),
    (0x00A8, 0x00B9, "RFC 5487"),
    (0x00BA, 0x00C5, "RFC 5932"),
    (0x00C6, 0x00C7, "RFC 8998"),
    (0x00FF, 0x00FF, "RFC 5746"),
    (0x1301, 0x1305, "RFC 8446"),
    (0x1306, 0x1307, "draft-irtf-cfrg-aegis-aead"),
    (0x5600, 0x5600, "RFC 7507"),
    (0xC001, 0xC019, "RFC 8422"),
    (0xC01A, 0xC022, "RFC 5054"),
    (0xC023, 0xC032, "RFC 5289"),
    (0xC033, 0xC03B, "RFC 5489"),
    (0xC03C, 0xC071, "RFC 6209"),
    (0xC072, 0xC09B, "RFC 6367"),
    (0xC09C, 0xC0AB, "RFC 6655"),
    (0xC0AC, 0xC0AF, "RFC 7251"),
    (0xC0B0, 0xC0B3, "RFC 8492"),
    (0xC0B4, 0xC0B5, "RFC 9150"),
    (0xC100, 0xC102, "RFC 9189"),
    (0xC103, 0xC106, "RFC 9367"),
    (0xCCA8, 0xCCAE, "RFC 7905"),
    (0xD001, 0xD003, "RFC 8442"),
    (0xD005, 0xD005, "RFC 8442"),
)
OLD_SUITES = ((r"_EXPORT_", "RFC 4346"), (r"_(IDEA_CBC|DES_CBC)_", "RFC 5469"))
"""Within RFC 5246's first range: suites that TLS 1.1 and 1.2 dropped, and the document that keeps them."""

UNREGISTERED = (
    (0x001C, 0x001D, "SSLv3 (RFC 6101); reserved by IANA"),
    (0x0049, 0x0049, "early drafts of RFC 4492; reserved by IANA"),
    (0x0060, 0x0066, "draft-ietf-tls-56-bit-ciphersuites; reserved by IANA"),
    (0x0080, 0x0083, "draft-chudov-cryptopro-cptls"),
    (0x16B7, 0x16BA, "CECPQ1 experiment of BoringSSL"),
    (0xE000, 0xE0FF, "GM/T 0024 (TLCP)"),
    (0xE410, 0xE41F, "draft-josefsson-salsa20-tls"),
    (0xFEFE, 0xFEFF, "Netscape FIPS suites; reserved by IANA"),
    (0xFF00, 0xFFFF, "private use"),
)


def within(ranges: tuple[tuple[int, int, str], ...], code: int) -> str | None:
    return next((text for low, high, text in ranges if low <= code <= high), None)


def code_from(pair: str) -> int:
    high, low = pair.split(",")
    return int(high, 16) << 8 | int(low, 16)


def reference_of(code: int, name: str) -> tuple[bool, str]:
    """Whether IANA assigned the code point, and by which document."""
    reference = within(ASSIGNED, code)
    if reference is None:
        return False, within(UNREGISTERED, code) or "unknown"
    if code <= 0x001B:
        reference = next((text for pattern, text in OLD_SUITES if re.search(pattern, name)), reference)
    return True, reference


def openssl_suites() -> dict[int, tuple[str, str]]:
    """Code -> (IANA name, OpenSSL name) as the installed OpenSSL lists them."""
    listing = subprocess.run(OPENSSL, capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in listing.splitlines()]
    return {code_from(field[0]): (field[2], field[4]) for field in fields}


def contradictions(rows: dict[int, dict[str, str]], openssl: dict[int, tuple[str, str]]) -> list[str]:
    wrong = []
    for code, (name, openssl_name) in openssl.items():
        row = rows.get(code)
        if row is None or (row["name"], row["openssl_name"]) != (name, openssl_name):
            wrong.append(f"0x{code:04X}: OpenSSL says {name} {openssl_name}, the evidence {row}")
    assigned = {code for low, high, _ in ASSIGNED for code in range(low, high + 1)}
    wrong += [f"0x{code:04X}: assigned by IANA, but not in the evidence" for code in sorted(assigned - set(rows))]
    return wrong


def compared_with_iana(rows: dict[int, dict[str, str]], path: Path) -> list[str]:
    """The differences to a copy of IANA's own file (columns Value, Description, ...)."""
    wrong = []
    registered = {code for code, row in rows.items() if row["registered"] == "yes"}
    with path.open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            if not entry["Description"].startswith("TLS_") or "-" in entry["Value"]:
                continue
            code = code_from(entry["Value"])
            registered.discard(code)
            if code not in rows or rows[code]["name"] != entry["Description"]:
                wrong.append(f"0x{code:04X}: IANA says {entry['Description']}, the table {rows.get(code)}")
    return wrong + [f"0x{code:04X}: called registered, but not in {path.name}" for code in sorted(registered)]


def merged() -> dict[int, dict[str, str]]:
    openssl = openssl_suites()
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    rows: dict[int, dict[str, str]] = {}
    with EVIDENCE.open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            code, name = code_from(entry["code"]), entry["iana_name"]
            registered, reference = reference_of(code, name)
            seen = [source for source in entry["seen_in"].split("+") if not source.startswith("openssl")]
            rows[code] = {
                "code": f"0x{code:04X}",
                "name": name,
                "openssl_name": entry["openssl_name"].strip("-"),
                "registered": "yes" if registered else "no",
                "reference": reference,
                "seen_in": "+".join([*seen, *(["openssl-" + version.rpartition(".")[0]] if code in openssl else [])]),
            }
    wrong = contradictions(rows, openssl)
    if wrong:
        sys.exit("\n".join(wrong))
    return dict(sorted(rows.items()))


def table_text(rows: dict[int, dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.values())
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--iana", type=Path, help="a fresh copy of IANA's tls-parameters-4.csv to compare with")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the committed table differs")
    options = parser.parse_args()
    rows = merged()
    if options.iana and (wrong := compared_with_iana(rows, options.iana)):
        sys.exit("\n".join(wrong))
    text = table_text(rows)
    if options.check:
        return int(TABLE.read_text(encoding="utf-8") != text)
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
