"""What sslyze finds on a server: pairs of version and suite, by its own command in a process of its own.

The address is given, so that it asks no DNS.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct

OPTIONS = {
    "SSLv2": "--sslv2",
    "SSLv3": "--sslv3",
    "TLSv1.0": "--tlsv1",
    "TLSv1.1": "--tlsv1_1",
    "TLSv1.2": "--tlsv1_2",
    "TLSv1.3": "--tlsv1_3",
}
RESULTS = {
    "SSLv2": "ssl_2_0_cipher_suites",
    "SSLv3": "ssl_3_0_cipher_suites",
    "TLSv1.0": "tls_1_0_cipher_suites",
    "TLSv1.1": "tls_1_1_cipher_suites",
    "TLSv1.2": "tls_1_2_cipher_suites",
    "TLSv1.3": "tls_1_3_cipher_suites",
}
LIMIT_S = 300.0


class Opinion(Struct, frozen=True):
    """The pairs (version, IANA name) that sslyze has seen accepted, and those it has seen refused."""

    accepted: frozenset[tuple[str, str]]
    refused: frozenset[tuple[str, str]]


def sslyze_opinion(host: str, address: str) -> Opinion:
    results = _scan(f"{host}:25{{{address}}}")["scan_result"]
    found: dict[str, set[tuple[str, str]]] = {"accepted": set(), "rejected": set()}
    for version, name in RESULTS.items():
        attempt = results[name]
        assert attempt["status"] == "COMPLETED", (version, attempt["error_reason"], attempt["error_trace"])
        for word, pairs in found.items():
            suites = attempt["result"][f"{word}_cipher_suites"]
            pairs |= {(version, each["cipher_suite"]["name"]) for each in suites}
    return Opinion(frozenset(found["accepted"]), frozenset(found["rejected"]))


def _scan(server: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "sslyze.json")
        command = [sys.executable, "-m", "sslyze", "--starttls=smtp", "--slow_connection", *OPTIONS.values()]
        command += [f"--json_out={output}", "--quiet", server]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert output.exists(), done.stdout + done.stderr
        (result,) = json.loads(output.read_text())["server_scan_results"]
    assert result["scan_result"], result
    return dict(result)
