"""POSIX extended and PCRE patterns as Python patterns, for the part of both that means the same (regex(7), pcre(3)).

Postfix matches bytes in the C locale, so patterns are bytes here too. Two ways to fail are kept apart: a pattern that
Postfix cannot compile (`InvalidPattern`: Postfix warns and skips the rule), and one that Postfix understands but that
is outside of the subset compared with the real postmap(1) in our tests (`UnsupportedPattern`: refused by name, since
a guess at its meaning would be a guess at where mail goes).
"""

import re
from enum import StrEnum

import msgspec

MAX_REPEAT = 255
"""POSIX asks for no more (RE_DUP_MAX); larger counts are legal in glibc and PCRE, and never needed for a host name."""


class Dialect(StrEnum):
    """The two pattern languages of Postfix tables."""

    REGEXP = "regexp"
    PCRE = "pcre"


class InvalidPattern(Exception):
    """Postfix cannot compile the pattern either; the argument says why."""


class UnsupportedPattern(Exception):
    """A construct that this program does not translate; the argument names it."""


class Translated(msgspec.Struct, frozen=True):
    """A compiled pattern. `ambiguous`: the text of a group may differ from POSIX, where the longest match wins."""

    regex: re.Pattern[bytes]
    groups: int
    ambiguous: bool


_CLASSES = {
    b"alpha": rb"a-zA-Z",
    b"digit": rb"0-9",
    b"alnum": rb"a-zA-Z0-9",
    b"upper": rb"A-Z",
    b"lower": rb"a-z",
    b"space": rb" \t\n\v\f\r",
    b"blank": rb" \t",
    b"punct": rb"!-/:-@\[-`{-~",
    b"print": rb" -~",
    b"graph": rb"!-~",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"xdigit": rb"0-9a-fA-F",
}
_SHORTHAND = b"wWsS"
_QUANTIFIERS = b"*+?{"
_BOUND = re.compile(rb"\{(\d*)(?:(,)(\d*))?\}")


def translate(pattern: str, dialect: Dialect, ignore_case: bool, anchored: bool = False) -> Translated:
    """Compile a pattern; raises InvalidPattern or UnsupportedPattern."""
    parser = _Parser(pattern.encode("utf-8", "surrogateescape"), dialect)
    source = parser.parsed()
    if anchored:
        source = rb"\A(?:" + source + rb")"
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    try:
        return Translated(re.compile(source, flags), parser.groups, parser.ambiguous)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsupportedPattern(f"a pattern that Python cannot compile ({error})") from error


class _Group(msgspec.Struct):
    """An open parenthesis: how many items its current branch has, and whether the only one of them is repeated."""

    items: int = 0
    last_repeated: bool = False
    branches: int = 1

    @property
    def only_repetition(self) -> bool:
        return self.items == 1 and self.last_repeated and self.branches == 1


class _Parser:
    def __init__(self, text: bytes, dialect: Dialect) -> None:
        self._text = text
        self._dialect = dialect
        self._position = 0
        self._out: list[bytes] = []
        self._stack: list[_Group] = [_Group()]
        self._repeatable = False
        self._assertion = False
        self._closed: _Group | None = None
        self._optional_group = False
        self.groups = 0
        self.ambiguous = False

    def parsed(self) -> bytes:
        while self._position < len(self._text):
            self._step()
        if len(self._stack) > 1:
            raise InvalidPattern('"(" without its ")"')
        if self._optional_group and self._out[-1:] != [rb"\Z"]:
            self.ambiguous = True
        return b"".join(self._out)

    def _step(self) -> None:
        char = self._text[self._position : self._position + 1]
        if char in _QUANTIFIERS and self._quantifier(char):
            return
        self._position += 1
        match char:
            case b"(":
                self._open()
            case b")":
                self._close()
            case b"|":
                self._out.append(b"|")
                self._stack[-1].branches += 1
                self._stack[-1].items = 0
                self._repeatable = self._assertion = False
                self.ambiguous = True
            case b"^" | b"$":
                self._out.append(b"^" if char == b"^" else rb"\Z")
                self._repeatable, self._assertion = False, True
            case b"[":
                self._item(_bracket(self))
            case b"\\":
                self._escape()
            case b".":
                self._item(b".")
            case _:
                self._item(re.escape(char))

    def take(self) -> bytes:
        """The next byte, b"" at the end."""
        char = self._text[self._position : self._position + 1]
        self._position += len(char)
        return char

    def peek(self, length: int = 1) -> bytes:
        """The next bytes without taking them."""
        return self._text[self._position : self._position + length]

    def find(self, text: bytes) -> int:
        """How far away the text begins, -1 where it does not follow."""
        found = self._text.find(text, self._position)
        return found if found < 0 else found - self._position

    @property
    def dialect(self) -> Dialect:
        """The language being read."""
        return self._dialect

    def _item(self, source: bytes) -> None:
        self._out.append(source)
        self._stack[-1].items += 1
        self._stack[-1].last_repeated = False
        self._repeatable, self._assertion, self._closed = True, False, None

    def _open(self) -> None:
        if self.peek() == b"?" and self._dialect is Dialect.PCRE:
            extension = self.peek(2)
            if extension not in (b"?:", b"?=", b"?!"):
                raise UnsupportedPattern(f'the group "({self.peek(3).decode("latin-1")}..."')
            self._position += 2
            self._out.append(b"(" + extension)
        else:
            self._out.append(b"(")
            self.groups += 1
        self._stack.append(_Group())
        self._repeatable = self._assertion = False

    def _close(self) -> None:
        if len(self._stack) == 1:
            if self._dialect is Dialect.PCRE:
                raise InvalidPattern('")" without its "("')
            raise UnsupportedPattern('")" without its "("')
        group = self._stack.pop()
        self._item(b")")
        self._closed = group

    def _escape(self) -> None:
        char = self.take()
        if not char:
            raise InvalidPattern("a backslash at the end")
        if char in _SHORTHAND or (char in b"dD" and self._dialect is Dialect.PCRE):
            self._item(b"\\" + char)
        elif char == b"b":
            self._out.append(rb"\b")
            self._repeatable, self._assertion = False, True
        elif char.isalnum() or char in b"<>`'" or char >= b"\x80":
            name = "the back-reference" if char.isdigit() else "the escape"
            raise UnsupportedPattern(f'{name} "\\{char.decode("latin-1")}"')
        else:
            self._item(re.escape(char))

    def _quantifier(self, char: bytes) -> bool:
        """Take a quantifier; False where the "{" of PCRE is only a brace."""
        bound = _BOUND.match(self._text, self._position)
        if char == b"{" and self._dialect is Dialect.PCRE and (bound is None or not bound[1]):
            return False
        if not self._repeatable:
            raise self._misplaced(char)
        if char == b"{":
            source = _checked_bound(bound)
            assert bound is not None
            self._position = bound.end()
            unbounded = bool(bound[2]) and not bound[3]
        else:
            source, unbounded = char, char in b"*+"
            self._position += 1
        self._after_quantifier(char, unbounded)
        if self._dialect is Dialect.PCRE and self.peek() == b"?":
            self._position += 1
            source += b"?"
        if (self.peek() and self.peek() in b"*+?") or _BOUND.match(self._text, self._position):
            raise UnsupportedPattern(f'a repetition of a repetition ("{(char + self.peek()).decode("latin-1")}")')
        self._out.append(source)
        return True

    def _misplaced(self, char: bytes) -> Exception:
        if self._assertion and self._out[-1] != b"^":
            return UnsupportedPattern(f'a repeated assertion ("{char.decode("latin-1")}" after "$" or "\\b")')
        return InvalidPattern(f'nothing stands before "{char.decode("latin-1")}" that it could repeat')

    def _after_quantifier(self, char: bytes, unbounded: bool) -> None:
        if self._closed is not None:
            self._optional_group = True
            self.ambiguous |= char != b"?"
            if unbounded and self._closed.only_repetition:
                raise UnsupportedPattern("a repeated group that holds only a repetition")
        self._stack[-1].last_repeated = True
        self._repeatable, self._closed = False, None


def _checked_bound(bound: re.Match[bytes] | None) -> bytes:
    if bound is None:
        raise InvalidPattern('"{" without a count and its "}"')
    low, comma, high = bound.groups()
    if not low and not comma:
        raise InvalidPattern('"{}" without a count')
    numbers = [int(number[:6]) for number in (low, high) if number]
    if low and high and int(low[:6]) > int(high[:6]):
        raise InvalidPattern(f'the counts of "{bound[0].decode("latin-1")}" are out of order')
    if any(number > MAX_REPEAT for number in numbers):
        raise UnsupportedPattern(f"a count above {MAX_REPEAT}")
    return b"{" + (low or b"0") + (comma or b"") + (high or b"") + b"}"


def _bracket(parser: _Parser) -> bytes:
    """A bracket expression, from behind its "["."""
    out = [b"["]
    if parser.peek() == b"^":
        parser.take()
        out.append(b"^")
    first = True
    while True:
        char = parser.take()
        if not char:
            raise InvalidPattern('"[" without its "]"')
        if char == b"]" and not first:
            return b"".join(out) + b"]"
        first = False
        if char == b"[" and parser.peek() and parser.peek() in b":.=":
            out.append(_class(parser))
        elif char == b"\\" and parser.dialect is Dialect.PCRE:
            out.append(_bracket_escape(parser))
        elif parser.peek() == b"-" and parser.peek(2)[1:] not in (b"]", b""):
            parser.take()
            out.append(_range(char, parser.take()))
        else:
            out.append(_literal(char))


def _class(parser: _Parser) -> bytes:
    kind = parser.take()
    end = parser.find(kind + b"]")
    if kind != b":" and parser.dialect is Dialect.REGEXP:
        raise UnsupportedPattern("a collating element or equivalence class in brackets")
    name = parser.peek(end) if end >= 0 else b""
    if kind != b":" or name not in _CLASSES:
        if name.startswith(b"^") or name in (b"word", b"ascii"):
            raise UnsupportedPattern(f'the class "[:{name.decode("latin-1")}:]"')
        raise InvalidPattern(f'no such character class: "[{kind.decode()}{name.decode("latin-1")}{kind.decode()}]"')
    for _ in range(end + 2):
        parser.take()
    if parser.peek() == b"-" and parser.peek(2) != b"-]":
        raise UnsupportedPattern("a range that begins with a class")
    return _CLASSES[name]


def _bracket_escape(parser: _Parser) -> bytes:
    char = parser.take()
    if not char:
        raise InvalidPattern('"[" without its "]"')
    shorthand = char in _SHORTHAND + b"dD"
    if (char.isalnum() and not shorthand) or char >= b"\x80":
        raise UnsupportedPattern(f'the escape "\\{char.decode("latin-1")}" in brackets')
    if parser.peek() == b"-" and parser.peek(2) != b"-]":
        raise UnsupportedPattern("a range that begins with an escape")
    return b"\\" + char if shorthand else _literal(char)


def _range(low: bytes, high: bytes) -> bytes:
    same_kind = (low.isdigit() and high.isdigit()) or (
        low.isalpha() and high.isalpha() and low.isupper() == high.isupper()
    )
    if not same_kind:
        ends = f"{low.decode('latin-1')}-{high.decode('latin-1')}"
        raise UnsupportedPattern(f'the range "{ends}" across kinds of characters')
    if low > high:
        raise InvalidPattern(f'the range "{low.decode()}-{high.decode()}" is out of order')
    return low + b"-" + high


def _literal(char: bytes) -> bytes:
    return b"\\x%02x" % ord(char)
