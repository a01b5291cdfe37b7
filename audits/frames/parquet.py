"""Frames as Parquet files: a folder that appears whole or not at all, a file for each frame."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from audits.frames.columns import FRAMES
from audits.output import OutputError, OutputLostError

if TYPE_CHECKING:
    from pandas import DataFrame

FILES = frozenset(f"{name}.parquet" for name in FRAMES)


def write_parquet(folder: Path, frames: Iterable[tuple[str, "DataFrame"]], *, replace: bool = False) -> dict[str, int]:
    """Writes the frames into a new folder; gives the rows of each.

    `OutputError` where the folder is there already, or holds other things than an earlier export although it may be
    replaced. `OutputLostError` where the disk is full.
    """
    target = folder.resolve()
    _refuse(folder, target, replace)
    try:
        half_made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    except OSError as error:
        raise OutputError(f"--parquet {folder}: {error.strerror}") from None
    try:
        rows = {}
        for name, frame in frames:
            frame.to_parquet(half_made / f"{name}.parquet", engine="pyarrow", index=False)
            rows[name] = len(frame)
        half_made.chmod(0o755)
        _put(half_made, target)
    except OSError as error:
        raise OutputLostError(f"--parquet {folder} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
    return rows


def _refuse(folder: Path, target: Path, replace: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"--parquet {folder}: this is a file; name a folder that is not there yet")
    if not replace:
        raise OutputError(f"--parquet {folder}: the folder is there already; name another, or replace it with --force")
    strangers = sorted(path.name for path in target.iterdir() if path.name not in FILES)
    if strangers:
        raise OutputError(f"--parquet {folder}: --force replaces an earlier export only, and {strangers[0]} is none")


def _put(half_made: Path, target: Path) -> None:
    """Puts the new folder in its place; the older one leaves last, so that there is always one of the two."""
    if not target.exists():
        half_made.rename(target)
        return
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    target.rename(aside / "old")
    half_made.rename(target)
    shutil.rmtree(aside)
