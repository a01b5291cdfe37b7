"""Reads the user's input: a line becomes a target, a bad line, or nothing. Next-hops as in Postfix transport(5).

One entry per line: "example.org", "example.org MUST" (the level demanded of it), "example.org:587", and without MX
look-up "[mx.example.org]", "[mx.example.org]:587", "[192.0.2.1]:2525", "[IPv6:2001:db8::1]". "#" begins a comment at
the beginning of a line and after white space. A first line with a cell "Domain" makes the input CSV (RFC 4180), with
an optional column "Required" or "Level". Everything streams: no line is kept once it was handed on.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import BinaryIO

import msgspec

from scanner.domain_name import BadNameError, ascii_name, printable, shown
from scanner.facts import BadLine, Level, Target

__all__ = ["MAX_LINE", "shown", "target_from_text", "targets_from_lines", "targets_from_stream"]

MAX_LINE = 8192
"""Bytes of a line; the longest name has 253, but a CSV row may carry remarks."""
MAX_RECORD_LINES = 20
"""Lines over which one quoted CSV cell may run; beyond it the quotation mark was a slip."""

_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
_LEVELS = {level.value: level for level in Level}
_POSTFIX_WORDS = {"encrypt": Level.MUST_NOPEERMATCH, "verify": Level.MUST, "secure": Level.MUST}
_SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
"""Postfix takes service names for ports, too."""
_SIGNATURES = {
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"PK\x03\x04": "a zip archive, as an Excel workbook is: save the sheet as CSV",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
}

Line = tuple[int, str] | BadLine
"""A line with its number, or what made it unreadable."""


def targets_from_stream(stream: BinaryIO, source: str) -> Iterator[Target | BadLine]:
    """What the lines of a UTF-8 file say; a line that is no UTF-8 or over-long is bad, not the end."""
    return _targets(_decoded(stream, source), source)


def targets_from_lines(lines: Iterable[str], source: str) -> Iterator[Target | BadLine]:
    """The same from text that was decoded, such as the words of a command line."""
    return _targets((_bounded(line, source, number) for number, line in enumerate(lines, 1)), source)


def target_from_text(text: str, source: str = "", number: int = 1) -> Target | BadLine | None:
    """What one line outside CSV says: None where it is blank or a comment."""
    words = _uncommented(text)
    if not words:
        return None
    try:
        return _target(words)
    except BadNameError as fault:
        return BadLine(source, number, printable(text.strip()), str(fault))


def _uncommented(text: str) -> str:
    return (_COMMENT.sub("", text) if "#" in text else text).strip()


# --- lines ---------------------------------------------------------------------------------------------------------


def _decoded(stream: BinaryIO, source: str) -> Iterator[Line]:
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1 and (what := _signature(raw)):
            yield BadLine(source, number, "", f"the file is no text in UTF-8 but {what}")
            return
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE + 1)
            yield _over_long(source, number)
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            text = printable(raw.decode("latin-1").strip())
            yield BadLine(source, number, text, "not in UTF-8: save the file as UTF-8, or write the xn-- form")


def _signature(raw: bytes) -> str:
    return next((what for magic, what in _SIGNATURES.items() if raw.startswith(magic)), "")


def _bounded(line: str, source: str, number: int) -> Line:
    if len(line) > MAX_LINE:
        return _over_long(source, number)
    return number, line.removeprefix("\ufeff") if number == 1 else line


def _over_long(source: str, number: int) -> BadLine:
    return BadLine(source, number, "", f"the line is longer than {MAX_LINE} bytes: one entry per line")


def _targets(lines: Iterator[Line], source: str) -> Iterator[Target | BadLine]:
    """Plain entries, until the first line that says anything turns out to be the header of a CSV file."""
    first = True
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        number, text = line
        if first and not _uncommented(text):
            continue
        if first and (columns := _header(text)):
            yield from _csv_targets(lines, columns, source)
            return
        first = False
        if found := target_from_text(text, source, number):
            yield found


# --- CSV -----------------------------------------------------------------------------------------------------------


class _Columns(msgspec.Struct, frozen=True):
    """Where the header found what we read; `level` is None without such a column."""

    delimiter: str
    domain: int
    level: int | None


def _header(text: str) -> _Columns | None:
    for delimiter in ",;\t":
        cells = [cell.casefold() for cell in _cells(text, delimiter)]
        domain = next((i for i, cell in enumerate(cells) if cell in ("domain", "domain name")), None)
        if domain is not None:
            level = next((i for i, cell in enumerate(cells) if cell in ("required", "level", "required level")), None)
            return _Columns(delimiter, domain, level)
    return None


def _cells(text: str, delimiter: str) -> list[str]:
    """The cells of a record without comments; none where the record is no CSV (a line end or a flood in a cell)."""
    try:
        cells = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [_uncommented(cell) for cell in cells]


def _csv_targets(lines: Iterator[Line], columns: _Columns, source: str) -> Iterator[Target | BadLine]:
    for record in _records(lines, source):
        if isinstance(record, BadLine):
            yield record
            continue
        number, text = record
        if not text.strip(" \t\r\n,;") or text.lstrip().startswith("#"):
            continue
        cells = _cells(text, columns.delimiter)
        domain = cells[columns.domain] if columns.domain < len(cells) else ""
        level = cells[columns.level] if columns.level is not None and columns.level < len(cells) else ""
        if domain:
            yield target_from_text(f"{domain} {level}", source, number) or _bad_row(record, source, cells)
        else:
            yield _bad_row(record, source, cells)


def _bad_row(record: tuple[int, str], source: str, cells: list[str]) -> BadLine:
    why = "no domain stands in the column Domain of this row" if cells else "no CSV: a line end or a flood in a cell"
    return BadLine(source, record[0], printable(record[1].strip()), why)


def _records(lines: Iterator[Line], source: str) -> Iterator[Line]:
    """Joins the lines of a quoted cell; a quotation mark that nothing closes costs its own line only."""
    ahead: deque[Line] = deque()
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        if isinstance(line, BadLine) or line[1].count('"') % 2 == 0:
            yield line
        elif joined := _joined(line[1], ahead, lines):
            yield line[0], joined
        else:
            yield BadLine(source, line[0], printable(line[1].strip()), "a quotation mark is opened and never closed")


def _joined(text: str, ahead: deque[Line], lines: Iterator[Line]) -> str:
    """The text up to the line that closes the quotation mark, or "" (and the lines looked at stay in `ahead`)."""
    for position in range(MAX_RECORD_LINES):
        if position == len(ahead):
            ahead.extend(line for line in (next(lines, None),) if line is not None)
        if position == len(ahead) or isinstance(line := ahead[position], BadLine):
            return ""
        text += line[1]
        if line[1].count('"') % 2:
            for _ in range(position + 1):
                ahead.popleft()
            return text
    return ""


# --- one entry -----------------------------------------------------------------------------------------------------


def _target(text: str) -> Target:
    if control := _CONTROL.search(text):
        raise BadNameError(f"the control character U+{ord(control[0]):04X} is in it: remove it")
    if "@" in text:
        raise BadNameError(f"an e-mail address: write only its domain{_advice(text.rpartition('@')[2])}")
    hop, *rest = text.split()
    if "," in text or ";" in text:
        raise BadNameError(
            "several values on a line: one entry per line, or CSV whose first line names a column Domain"
        )
    if len(rest) > 1:
        raise BadNameError("more than a domain and a level on a line: a comment begins with #")
    required = _level(rest[0]) if rest else None
    if not rest and hop.upper() in _LEVELS:
        raise BadNameError(f"a level without a domain: write example.org {hop.upper()}")
    return _bracketed(hop, required) if "[" in hop or "]" in hop else _bare(hop, required)


def _level(word: str) -> Level:
    if level := _LEVELS.get(word.upper().replace("-", "_")):
        return level
    meant = _POSTFIX_WORDS.get(word.lower())
    hint = f"; Postfix's {word.lower()} is {meant} here" if meant else ""
    raise BadNameError(f"unknown level {printable(word, 30)}: write one of {', '.join(_LEVELS)}{hint}")


def _bracketed(hop: str, required: Level | None) -> Target:
    parts = _BRACKETS.fullmatch(hop)
    if not parts:
        raise BadNameError("the brackets do not match: write [mx.example.org] or [mx.example.org]:587")
    inside, port_text = parts.groups()
    port = None if port_text is None else _port(port_text)
    address = _address(inside.removeprefix(inside[:5]) if inside[:5].lower() == "ipv6:" else inside)
    if inside[:5].lower() == "ipv6:" and not isinstance(address, IPv6Address):
        raise BadNameError("behind IPv6: stands no IPv6 address: write [IPv6:2001:db8::1]")
    if address is None and ":" in inside:
        raise BadNameError("the port stands behind the bracket: write [mx.example.org]:587")
    name = ascii_name(inside) if address is None else str(address)
    host = f"IPv6:{name}" if isinstance(address, IPv6Address) else name
    return Target(f"[{host}]" + _port_suffix(port), name, brackets=True, port=port, required=required)


def _bare(hop: str, required: Level | None) -> Target:
    if "://" in hop:
        host = re.split(r"[/?#:]", hop.partition("://")[2])[0]
        raise BadNameError(f"a URL: write only its domain{_advice(host)}")
    if "/" in hop:
        raise BadNameError(f"a path or network: write only the domain{_advice(hop.partition('/')[0])}")
    text, colon, port_text = hop.rpartition(":")
    for bare, suffix in ((hop, ""), (text, f":{port_text}")) if colon or hop[-1].isdecimal() else ():
        if address := _address(bare):
            host = f"IPv6:{address}" if address.version == 6 else str(address)
            raise BadNameError(f"a bare IP address: write [{host}]{printable(suffix, 10)}")
    if not colon:
        name = ascii_name(hop)
        return Target(name, name, required=required)
    name, port = ascii_name(text), _port(port_text)
    return Target(name + _port_suffix(port), name, port=port, required=required)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is; None where it is none. A zone ("%eth0") means nothing to another machine."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if "%" in text:
        raise BadNameError("an address with a zone: only addresses that mean the same everywhere can be listed")
    return address


def _port(text: str) -> int:
    port = _SERVICES.get(text.lower(), 0)
    if text.isascii() and text.isdecimal() and len(text) <= 5:
        port = int(text)
    if not 1 <= port <= 65535:
        raise BadNameError(f"the port {printable(text, 20) or '(nothing)'} is no number from 1 to 65535")
    return port


def _port_suffix(port: int | None) -> str:
    return "" if port is None else f":{port}"


def _advice(host: str) -> str:
    try:
        return f", {ascii_name(host)}"
    except BadNameError:
        return ""
