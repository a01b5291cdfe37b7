"""The commands of the TLS audits that are compared: ours at depth full, nmap's ssl-enum-ciphers, sslscan and sslyze.

Each gets the same addresses and does what its own command does with a list of them; sslscan goes through a list one
after the other, so it is started for each address, ten at a time. What a child process and its own children used is
what the kernel says of them (wait4).
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from tests.lab.processes import DIES_WITH_US
from tests.loopback_world import ROOT

AT_ONCE = 10
"""Processes of sslscan."""
SSLYZE = (sys.executable, "-m", "sslyze", "--starttls=smtp", "--mozilla_config=disable")
SUITES = ("--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--elliptic_curves")
WANTED = (*SUITES, "--certinfo", "--resum", "--reneg", "--compression", "--fallback", "--ems")
"""What our full audit tells as well."""


class Used(Struct, frozen=True):
    """What one tool needed for all addresses; `answers` counts the pairs of version and suite that it printed."""

    cpu_s: float
    wall_s: float
    memory_mb: float
    answers: int


def version_of(tool: str) -> str:
    """The version in the tool's own words; "" where it is not installed."""
    commands = {
        "tlsaudit": [sys.executable, "-m", "audits.cli", "--version"],
        "nmap": ["nmap", "--version"],
        "sslscan": ["sslscan", "--version"],
        "sslyze": [*SSLYZE[:3], "--help"],
    }
    if shutil.which(commands[tool][0]) is None:
        return ""
    said = subprocess.run(commands[tool], capture_output=True, text=True, check=False, cwd=ROOT)
    found = re.search(r"(\d+\.\d[\w.]*)", re.sub(r"\x1b\[[\d;]*m", "", said.stdout + said.stderr))
    return found[1] if found else "?"


def nmap(addresses: Sequence[str], folder: Path) -> Used:
    return _used(
        [["nmap", "-Pn", "-n", "-p", "25", "--script", "ssl-enum-ciphers", *addresses]], folder, r" - [A-F]\s*$"
    )


def sslscan(addresses: Sequence[str], folder: Path) -> Used:
    commands = [["sslscan", "--starttls-smtp", "--no-colour", f"{address}:25"] for address in addresses]
    return _used(commands, folder, r"^(Accepted|Preferred)")


def sslyze(addresses: Sequence[str], folder: Path) -> Used:
    servers = [f"mx{number}.test:25{{{address}}}" for number, address in enumerate(addresses, 1)]
    return _used([[*SSLYZE, *WANTED, *servers]], folder, r"^\s+TLS_\w+\s+\d")


def _used(commands: Sequence[Sequence[str]], folder: Path, answer: str) -> Used:
    """Runs the commands, some at a time; their memory is that of the largest times those at once."""
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files = [folder / f"tool-{number}.out" for number in range(len(commands))]
        used = list(pool.map(measured, commands, files))
    wall = time.monotonic() - began
    answers = sum(len(re.findall(answer, file.read_text(errors="replace"), re.MULTILINE)) for file in files)
    memory = max(each.memory_mb for each in used) * min(AT_ONCE, len(commands))
    return Used(sum(each.cpu_s for each in used), wall, memory, answers)


def measured(command: Sequence[str], output: Path) -> Used:
    """One process to its end, with what it used."""
    began = time.monotonic()
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*DIES_WITH_US, *command], stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, cwd=ROOT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {output.read_text()[-2000:]}")
    return Used(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024, 0)
