"""The manifest of an evidence pack: the SHA-256 of every file, in the form of sha256sum(1)."""

import hashlib
import os
import re
from pathlib import Path

from scanner.domain_name import printable

MANIFEST = "SHA256SUMS"
SHOWN = 200
"""Characters of a file's name that a message shows."""
_SUM = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_./-]+)")


class EvidenceError(Exception):
    """A pack cannot be read, or is not what it was: which file, and why."""


def sign(folder: Path) -> None:
    """Writes the manifest of all files in the folder."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / MANIFEST).write_text("".join(lines), "ascii")


def check(folder: Path) -> None:
    """Compares every file with the manifest; `EvidenceError` names the first that differs, is missing or is foreign."""
    try:
        manifest = (folder / MANIFEST).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{folder}: no evidence pack: {MANIFEST} cannot be read ({error})") from None
    listed: dict[str, str] = {}
    for number, line in enumerate(manifest.splitlines(), 1):
        row = _SUM.fullmatch(line)
        if row is None or ".." in row[2].split("/") or row[2].startswith("/"):
            raise EvidenceError(f"{folder / MANIFEST}:{number}: no line of sha256sum")
        listed[row[2]] = row[1]
    _compare(folder, listed)


def _compare(folder: Path, listed: dict[str, str]) -> None:
    here = set(_files(folder))
    for name in sorted(listed.keys() | here):
        file = folder / name
        shown = f"{folder}/{printable(name, SHOWN)}"
        if name not in here:
            raise EvidenceError(f"{shown} is missing, and the manifest lists it")
        if name not in listed:
            raise EvidenceError(f"{shown} is not in the manifest: it was added later")
        if file.is_symlink() or not file.is_file():
            raise EvidenceError(f"{shown} is no ordinary file: a pack holds no links, pipes or devices")
        if _digest(file) != listed[name]:
            raise EvidenceError(f"{shown} is not what it was: its SHA-256 differs from the manifest's")


def _files(folder: Path) -> list[str]:
    found = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return sorted(path.relative_to(folder).as_posix() for path in found if path != folder / MANIFEST)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
