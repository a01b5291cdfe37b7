"""What a scan is to scan: files, standard input, or domains on the command line, read twice with flat memory.

The first reading finds every bad line and the digest by which the input is known again; the second fills the store.
Standard input is spooled, so that it can be read twice.
"""

import os.path
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Self, cast

from scanner.addresses import Exclusions
from scanner.facts import BadLine, Target
from scanner.targets import targets_from_lines, targets_from_stream

SPOOL_BYTES = 8 * 1024 * 1024
"""Of standard input kept in memory; more goes to a temporary file."""
_NETWORK = re.compile(r"[0-9a-fA-F.]*[.:][0-9a-fA-F.:]*/[0-9]+")
"""What was meant as a network: an address, a slash and digits."""
_FILE_ENDINGS = (".txt", ".csv", ".list", ".lst", ".tsv")


class InputError(Exception):
    """The input cannot be read at all; the message says what to do."""


class ScanInput:
    """The arguments of `tlsaudit scan`, as targets that can be gone through more than once."""

    def __init__(self, arguments: Sequence[str], stdin: Callable[[], BinaryIO]) -> None:
        self._closing = ExitStack()
        self._words: list[str] = []
        self._streams: list[tuple[str, BinaryIO]] = []
        try:
            for argument in arguments:
                if argument == "-":
                    self._streams.append(("standard input", self._spooled(stdin())))
                elif _means_file(argument):
                    self._streams.append((argument, self._opened(Path(argument))))
                else:
                    self._words.append(argument)
        except BaseException:
            self._closing.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def lines(self) -> Iterator[Target | BadLine]:
        """Everything that was given, in order; each call begins anew."""
        for source, stream in self._streams:
            stream.seek(0)
            yield from targets_from_stream(stream, source)
        yield from targets_from_lines(self._words, "argument")

    def targets(self) -> Iterator[Target]:
        """The good lines."""
        return (line for line in self.lines() if isinstance(line, Target))

    def _opened(self, path: Path) -> BinaryIO:
        try:
            stream = self._closing.enter_context(path.open("rb"))
        except OSError as error:
            raise InputError(
                f"{path}: {error.strerror}; to scan a domain of this name write it with a dot behind"
            ) from None
        return stream if stream.seekable() else self._spooled(stream)

    def _spooled(self, stream: BinaryIO) -> BinaryIO:
        spool = cast(BinaryIO, self._closing.enter_context(tempfile.SpooledTemporaryFile(SPOOL_BYTES)))  # noqa: SIM115
        shutil.copyfileobj(stream, spool)
        return spool


def _means_file(argument: str) -> bool:
    """Whether a word is a file, or was meant as one: better an error than a scan of the domain "domains.txt"."""
    return "/" in argument or argument.lower().endswith(_FILE_ENDINGS) or os.path.exists(argument)  # noqa: PTH110


def read_exclusions(paths: Sequence[Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names, networks) of the --exclude files: one domain, MX host, address or network a line, # comments.

    Raises InputError with file and line for anything else: an exclusion that is not understood must not be ignored.
    """
    names: list[str] = []
    networks: list[str] = []
    for path in paths:
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise InputError(f"--exclude {path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            number = error.object.count(b"\n", 0, error.start) + 1
            raise InputError(f"--exclude {path}, line {number}: not in UTF-8: save the file as UTF-8") from None
        for number, line in enumerate(text.splitlines(), 1):
            entry = line.partition("#")[0].strip()
            if entry:
                _take_exclusion(entry, f"--exclude {path}, line {number}", names, networks)
    return tuple(names), tuple(networks)


def _take_exclusion(entry: str, where: str, names: list[str], networks: list[str]) -> None:
    try:
        Exclusions((), (entry,))
    except ValueError:
        if _NETWORK.fullmatch(entry):
            raise InputError(
                f"{where}: {entry!r}: no network: write its first address and length, 192.0.2.0/24"
            ) from None
    else:
        networks.append(entry)
        return
    found = next(targets_from_lines([entry.removeprefix("*.").removeprefix(".")], where), None)
    if not isinstance(found, Target) or found.brackets or found.port:
        several = re.search(r"[\s,;]", entry)  # of which the list of domains says that a level may follow, or CSV
        one = "write one domain, host, address or network a line"
        why = found.why if isinstance(found, BadLine) and not several else one
        raise InputError(f"{where}: {entry!r}: {why}")
    names.append(found.name)
