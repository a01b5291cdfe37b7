"""The installed Postfix as the oracle: postconf(1) and postmap(1) on files in a folder of the test."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.real_programs import program

LONG_AGO = 1_140_000_000


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program; text may hold bytes that are no UTF-8 as surrogates."""
    return subprocess.run(
        command, input=stdin, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False, timeout=60
    )


def config_folder(folder: Path, main_cf: str = "compatibility_level = 3.6\n") -> Path:
    """A folder that Postfix accepts as its configuration."""
    write(folder / "main.cf", main_cf)
    write(folder / "master.cf", "")
    return folder


def write(path: Path, text: str) -> None:
    """Write a file that looks old: Postfix reads a file of this second again and again, until it has cooled down."""
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    os.utime(path, (LONG_AGO, LONG_AGO))


def expanded(folder: Path, main_cf: str, *names: str) -> tuple[str, ...] | None:
    """What postconf -x -h prints for the names; None where it ends with an error."""
    config_folder(folder, main_cf)
    result = run(program("postconf", "postfix"), "-c", str(folder), "-x", "-h", *names)
    if result.returncode != 0:
        return None
    return tuple(result.stdout.removesuffix("\n").split("\n"))


def expanded_each(folder: Path, main_cfs: Sequence[str], name: str) -> list[str | None]:
    """The same for many files at once: a Postfix program that fails sleeps for a second before it ends."""

    def one(numbered: tuple[int, str]) -> str | None:
        number, main_cf = numbered
        (folder / str(number)).mkdir()
        result = expanded(folder / str(number), main_cf, name)
        return result[0] if result else None

    with ThreadPoolExecutor(max_workers=40) as pool:
        return list(pool.map(one, enumerate(main_cfs)))


def queried(folder: Path, table: str, keys: Iterable[str]) -> tuple[Mapping[str, str], str]:
    """What postmap -q finds for the keys in "type:name", and what it writes to its log."""
    result = run(
        program("postmap", "postfix postfix-pcre postfix-lmdb"),
        "-c",
        str(folder),
        "-q",
        "-",
        table,
        stdin="".join(f"{key}\n" for key in keys),
    )
    return dict(line.split("\t", 1) for line in result.stdout.splitlines()), result.stderr


def written(folder: Path, kind: str, text: str) -> tuple[str, str]:
    """A table in a file, indexed where its type needs that: its "type:name", and the log of postmap."""
    path = folder / "table"
    write(path, text)
    log = ""
    if kind in ("hash", "btree", "lmdb"):
        log = run(program("postmap", "postfix postfix-pcre postfix-lmdb"), "-c", str(folder), f"{kind}:{path}").stderr
    return f"{kind}:{path}", log
