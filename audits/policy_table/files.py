"""Files of tables: what stands there now, how the new text differs, and its place taken at once or not at all."""

import contextlib
import difflib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from audits.postfix.errors import ConfigError
from audits.postfix.source_text import read_source
from audits.postfix.text_tables import Entry, parse_text_table
from scanner.domain_name import printable

_SHOWN = 1000


def present_text(path: Path) -> str | None:
    """What the file holds, None where there is none; `ConfigError` where it cannot be a table of ours."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise ConfigError(str(path), 0, "cannot be written: its folder does not exist") from None
        return None
    except OSError as error:
        raise ConfigError(str(path), 0, f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise ConfigError(str(path), 0, "is no regular file, so it is not replaced")
    return read_source(str(path))


def difference(before: str, after: str, path: Path) -> Iterator[str]:
    """A unified diff, safe for a terminal; nothing where the texts are equal."""
    old, new = before.splitlines(), after.splitlines()
    for line in difflib.unified_diff(old, new, f"{path} (now)", f"{path} (new)", lineterm=""):
        yield printable(line, _SHOWN)


def standing(before: str, after: str) -> tuple[list[Entry], list[Entry]]:
    """The lines of a table, one for each key, and those among them whose key has no line in the new one."""
    held = list(parse_text_table(before, "now").index.values())
    new = parse_text_table(after, "new").index
    return held, [entry for entry in held if entry.folded not in new]


def replace_file(path: Path, text: str) -> None:
    """Writes a file beside, then renames it: no reader meets half a table. Mode and owner stay; `OSError`."""
    place = path.resolve()
    draft = place.with_name(f".{place.name}.{secrets.token_hex(6)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _keep_mode(place, descriptor)
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


def _keep_mode(place: Path, descriptor: int) -> None:
    try:
        now = place.stat()
    except FileNotFoundError:
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, now.st_uid, now.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(now.st_mode))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
