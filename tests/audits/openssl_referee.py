"""The command `openssl verify` as the referee over chains, told to verify as Postfix does at level MUST."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.audits.chain_states import State
from tests.certificate_factory import SEEN


def require_openssl() -> None:
    """Leaves the test out where there is no such command; where the whole suite must run, that is a failure."""
    command = shutil.which("openssl")
    version = subprocess.run([command, "version"], capture_output=True, text=True).stdout if command else ""
    if re.match(r"OpenSSL [3-9]", version):
        return
    if os.environ.get("CI"):
        pytest.fail("the tests of trust need the command openssl, version 3 or newer")
    pytest.skip("no command openssl of version 3 or newer to compare with")


def verify_codes(state: State, folder: Path) -> list[int]:
    """The error codes in the order in which the command met them; none when it trusts the chain."""
    for name, certificates in (("anchors", state.anchors), ("leaf", state.chain[:1]), ("rest", state.chain[1:])):
        (folder / name).write_bytes(b"".join(certificate.pem for certificate in certificates))
    options = [*("-purpose", "sslserver"), *("-auth_level", "1"), *("-verify_depth", str(state.verify_depth + 1))]
    options += [*("-attime", str(int(SEEN.timestamp()))), "-no-CApath", "-no-CAstore", "-CAfile", "anchors"]
    options += ["-untrusted", "rest"] if state.chain[1:] else []
    run = subprocess.run(["openssl", "verify", *options, "leaf"], cwd=folder, capture_output=True, text=True)
    found = [int(code) for code in re.findall(r"error (\d+) at \d+ depth", run.stdout + run.stderr)]
    assert (run.returncode == 0) == (not found), run.stderr
    return found
