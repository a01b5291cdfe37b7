"""`tlsaudit nightly CONFIG.toml`: reads and checks the file; every mistake is told with its line and what to write.

Paths are meant from the folder of the file. `[scan]` takes the options of `tlsaudit scan` by their long names, so that
whatever a scan can do a night can do, and the same words are checked by the same code.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from audits.nightly.config import ConfigError, Mistake, Night, NightConfig, Reporting, Security, When
from audits.nightly.lists import list_mistakes
from audits.nightly.places import Places, places
from audits.nightly.scan_words import scan_parameters

MAX_BYTES = 1_000_000
MAX_DAYS = 100_000
_ADDRESS = re.compile(r"""[^\s@<>()\[\]\\,:;"]+@(?:[^\s@<>()\[\]\\,:;"]+|\[[0-9A-Za-z.:]+\])""")
"""An address that needs no quoting, so that several in one header stay several (RFC 5322 section 3.4.1)."""
_VISIBLE = re.compile("[!-~]+")
_WANTED = {
    "lists": 'write lists = ["domains.txt"]',
    "server": 'write server = "mail.example.org"',
    "sender": 'write sender = "tlsaudit@example.org"',
    "to": 'write to = ["postmaster@example.org"]',
    "url": 'write url = "https://hooks.example.org/tlsaudit"',
}
"""What to write for a key that must be there."""
_STAND_INS = {"server": "a.example", "sender": "a@a.example", "to": ["a@a.example"], "url": "https://a.example"}
"""In place of such a key that cannot be used, so that the rest of its table is checked all the same."""
_WORDS = {"on": When, "security": Security}
_REMEDIES = {
    "bool": "write true or false",
    "int": "write a whole number without quotation marks",
    "str": 'write text in quotation marks: {key} = "..."',
    "array": 'write a list: {key} = ["..."]',
    "object": "write a table: [{key}]",
}
"""What to write for a value of another type, by the one that msgspec expects."""
_EXPECTED = re.compile(r"Expected `([a-z]+)")
MAX_WINDOW = 30
"""As `tlsaudit diff --window` has it."""


def read_config(file: Path, *, lists_too: bool = False) -> Night:
    """Reads and checks, the lines of its lists only if so wanted; `ConfigError` holds every mistake that was found."""
    name = str(file)
    try:
        raw = file.read_bytes()
        if len(raw) > MAX_BYTES:
            raise ConfigError((Mistake(name, 1, f"larger than {MAX_BYTES} bytes; this is no configuration"),))
        text = raw.decode("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError((Mistake(name, 1, f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            (Mistake(name, raw[: error.start].count(b"\n") + 1, "not UTF-8: save it as UTF-8"),)
        ) from None
    except (ValueError, RecursionError) as error:  # an endless number, brackets within brackets, or no TOML
        raise ConfigError((Mistake(name, _line_of(error, text), f"no TOML: {error}"),)) from None
    where = places(text)
    config, mistakes = _converted(data, name, where)
    night = Night(config, file.resolve().parent, {}, file.resolve())
    scan, found = scan_parameters(night, name, where)
    mistakes = (*mistakes, *found, *_missing_files(night, name, where), *_unwritable(night, name, where))
    mistakes += tuple(_wrong_values(config, name, where))
    in_lists = list_mistakes(night, name, where.get(("", "lists"), 1)) if lists_too else ()
    if mistakes or in_lists:
        raise ConfigError((*sorted(mistakes, key=lambda mistake: mistake.line), *in_lists))
    return msgspec.structs.replace(night, scan=scan)


def _line_of(error: Exception, text: str) -> int:
    words = str(error)
    _, _, rest = words.partition("at line ")
    number = rest.partition(",")[0]
    return int(number) if number.isdecimal() else text.count("\n") + 1


def _converted(data: dict[str, Any], name: str, where: Places) -> tuple[NightConfig, tuple[Mistake, ...]]:
    """The file as structs. What cannot be used is left out, so that the rest is checked all the same."""
    mistakes = []
    kept = {"lists": [], **data}
    fields = {field.encode_name: field for field in msgspec.structs.fields(NightConfig)}
    for key in data:
        if key not in fields:
            mistakes.append(Mistake(name, _line(where, "", key), f"{key}: there is no {key!r} here"))
            del kept[key]
            continue
        kept[key], found = _usable(key, data[key], fields[key].type, name, where)
        mistakes += found
        if kept[key] is None:
            del kept[key]
    if "lists" not in data:
        mistakes.append(Mistake(name, 1, f"lists: it is missing: {_WANTED['lists']}"))
    return msgspec.convert({"lists": [], **kept}, NightConfig), tuple(mistakes)


def _usable(table: str, value: object, wanted: Any, name: str, where: Places) -> tuple[object, list[Mistake]]:
    """What can be used of the value of a key at the top, None for nothing, and all that is wrong with it.

    msgspec tells the first mistake: what it names is left out then, or another stands in its place.
    """
    found: dict[str, Mistake] = {}
    rest = value
    while True:
        try:
            msgspec.convert(rest, wanted)
            return rest, [*found.values()]
        except msgspec.ValidationError as error:
            key, mistake = _mistake(table, error, name, where)
            found.setdefault(key, mistake)
        if not isinstance(rest, dict) or (key not in rest and key not in _STAND_INS):
            return None, [*found.values()]
        missing = key not in rest
        rest = {name: each for name, each in rest.items() if name != key}
        rest |= {key: _STAND_INS[key]} if missing else {}


def _line(where: Places, table: str, key: str) -> int:
    """The line of a key; of a key at the top also where it is the head of a table."""
    return where.get((table, key)) or where.get((key, "")) or 1


def _mistake(table: str, error: msgspec.ValidationError, name: str, where: Places) -> tuple[str, Mistake]:
    """The key, and what is wrong. msgspec names the place as `$.key[...]`, or the key of an unknown field in words."""
    words, _, path = str(error).partition(" - at `$")
    key = path.strip(".`").split("[")[0].split(".")[0]
    if "unknown field" in words:
        key = words.split("`")[1]
        words = f"there is no {key!r} here"
    if "missing required field" in words:
        key = words.split("`")[1]
        words = f"it is missing: {_WANTED.get(key, 'write ' + key + ' = ...')}"
    elif remedy := _remedy(words, key or table, in_list="[" in path):
        words = f"{words}: {remedy}"
    line = where.get((table, key)) or where.get(("", table)) or where.get((table, "")) or where.get(("", key)) or 1
    said = f"{table}.{key}" if table and key else table or key
    return key, Mistake(name, line, f"{said}: {words}" if said else words)


def _remedy(words: str, key: str, *, in_list: bool) -> str:
    """What to write for a value of a wrong type, or for a word that is none of those allowed; "" for neither."""
    if words.startswith("Invalid enum value") and key in _WORDS:
        return f"write one of {', '.join(_WORDS[key])}"
    expected = _EXPECTED.match(words)
    if expected is None:
        return ""
    if key in _WORDS:
        allowed = ", ".join(f'"{word}"' for word in _WORDS[key])
        return f"write {key} = [...] with some of {allowed}" if key == "on" else f"write one of {allowed}"
    return _WANTED.get(key) or _REMEDIES.get("array" if in_list else expected[1], "").format(key=key)


def _missing_files(night: Night, name: str, where: Places) -> Iterator[Mistake]:
    """Files that are read must be there."""
    config = night.config
    if not config.lists and ("", "lists") in where:
        yield Mistake(name, where.get(("", "lists"), 1), 'lists: name at least one file: lists = ["domains.txt"]')
    for file in config.lists:
        if not night.path(file).is_file():
            yield Mistake(name, where.get(("", "lists"), 1), f"lists: there is no file {night.path(file)}")
    for table, key, file in (
        ("mail", "password-file", config.mail.password_file if config.mail else ""),
        ("mail", "cafile", config.mail.cafile if config.mail else ""),
        ("webhook", "token-file", config.webhook.token_file if config.webhook else ""),
        ("webhook", "cafile", config.webhook.cafile if config.webhook else ""),
    ):
        if file and not night.path(file).is_file():
            yield Mistake(name, where.get((table, key), 1), f"{table}.{key}: there is no file {night.path(file)}")


def _unwritable(night: Night, name: str, where: Places) -> Iterator[Mistake]:
    """Folders that are written to must be there, and each file has one job: reports in a store would be its end."""
    config = night.config
    written = {("report", key): getattr(config.report, key) for key in Reporting.__struct_fields__}
    written |= {("", "log"): config.log, ("", "store"): "" if "://" in config.store else config.store}
    lists = {night.path(file).resolve(): "lists" for file in config.lists if "\0" not in file}
    taken = {night.file: "this configuration"} | lists
    for (table, key), file in written.items():
        path = night.path(file, "run")
        said = f"{table}.{key}" if table else key
        if "\0" in file or (not file and key == "store" and not config.store):
            yield Mistake(name, where.get((table, key), 1), f"{said}: this is no name of a file")
        elif file and not path.parent.is_dir():
            yield Mistake(name, where.get((table, key), 1), f"{said}: there is no folder {path.parent}")
        elif file and path.is_dir():
            yield Mistake(name, where.get((table, key), 1), f"{said}: {path} is a folder: name a file in it")
        elif file and not _is_device(path) and (other := taken.setdefault(path.resolve(), said)) != said:
            yield Mistake(name, where.get((table, key), 1), f"{said}: {path} is the file of {other}: name another")


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _wrong_values(config: NightConfig, name: str, where: Places) -> Iterator[Mistake]:
    from audits.diff import Severity

    if config.diff.severity not in {severity.value for severity in Severity}:
        words = ", ".join(severity.value for severity in Severity)
        yield Mistake(name, where.get(("diff", "severity"), 1), f"diff.severity: write one of {words}")
    if not 1 <= config.diff.window <= MAX_WINDOW:
        yield Mistake(name, where.get(("diff", "window"), 1), f"diff.window: write 1 to {MAX_WINDOW}")
    if not 0 <= config.keep.days <= MAX_DAYS or config.keep.runs < 2:
        line = where.get(("keep", "days")) or where.get(("keep", "runs")) or 1
        yield Mistake(name, line, f"keep: days = 0 keeps all, else 1 to {MAX_DAYS}; runs is at least 2")
    if config.webhook and not _is_url(config.webhook.url):
        yield Mistake(name, where.get(("webhook", "url"), 1), "webhook.url: write https://...")
    if config.mail and not config.mail.to:
        yield Mistake(name, where.get(("mail", "to"), 1), 'mail.to: name at least one address: to = ["a@example.org"]')
    if config.mail and not all(map(_is_address, (config.mail.sender, *config.mail.to))):
        yield Mistake(name, where.get(("mail", ""), 1), "mail: sender and to are addresses such as a@example.org")
    if config.mail and not 0 < config.mail.port < 65536:
        yield Mistake(name, where.get(("mail", "port"), 1), "mail.port: write 1 to 65535")


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        named = url.scheme in ("https", "http") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return named and _VISIBLE.fullmatch(text) is not None


def _is_address(text: str) -> bool:
    return text.isprintable() and _ADDRESS.fullmatch(text) is not None
