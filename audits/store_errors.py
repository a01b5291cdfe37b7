"""What can go wrong with a store, in sentences that say what to do about it."""


class StoreError(Exception):
    """The store cannot do what was asked; the message names the store, the reason and the remedy."""


class StoreLockedError(StoreError):
    """Another run writes to the store."""


class NoSuchRunError(StoreError):
    """No run has that name; the message lists the near ones."""


# The first words of an SQLite result code's name (https://www.sqlite.org/rescode.html): extended codes begin with
# their primary one.
_SENTENCES = {
    "SQLITE_NOTADB": "{where} is no SQLite database: give another file with --store, or move this one away",
    "SQLITE_CORRUPT": "{where} is damaged: go back to a copy of it, or rescue what is readable with"
    " `sqlite3 {where} .recover`",
    "SQLITE_READONLY": "{where} cannot be written: allow this user to write the file and its folder,"
    " or give another file with --store",
    "SQLITE_FULL": "no space is left for {where}: make room and go on with --resume; what was saved stays",
    "SQLITE_BUSY": "another program holds {where} locked: close it, or wait for its end",
    "SQLITE_LOCKED": "another program holds {where} locked: close it, or wait for its end",
    "SQLITE_CANTOPEN": "{where} cannot be opened: look whether its folder exists and this user may write there",
    "SQLITE_IOERR": "reading or writing {where} failed: look at the disk and the space on it",
}

LACKS_RIGHT = "42501"
# SQLSTATE of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_SERVER_SENTENCES = {
    LACKS_RIGHT: "this user lacks a right in {where}: let the owner of its tables do this, or grant what is missing",
    "53100": _SENTENCES["SQLITE_FULL"],
    "25006": "{where} cannot be written: it is in recovery, or set to read only; give another store with --store",
}


def store_error(where: str, error: BaseException | None) -> StoreError:
    """The sentence for what a database driver or the file system raised."""
    name = "SQLITE_CANTOPEN" if isinstance(error, OSError) else getattr(error, "sqlite_errorname", "")
    said = " ".join(str(error).split())[:300]
    for prefix, sentence in _SENTENCES.items():
        if name.startswith(prefix):
            return StoreError(f"{sentence.format(where=where)} ({said})")
    known = _SERVER_SENTENCES.get(getattr(error, "sqlstate", None) or "")
    if known:
        return StoreError(f"{known.format(where=where)} ({said})")
    return StoreError(f"the store {where} does not answer as it should ({said})")
