"""The $name expressions of main.cf, as Postfix 3.7 expands them (postconf(5), the paragraphs before the parameters).

    $name ${name} $(name)            the value, itself expanded
    ${name?text} ${name:text}        text where the raw value is non-empty, or empty
    ${name?{text}:{text}}            both
    ${{a} == {b} ? {text} : {text}}  a comparison; also != < <= >= >, each also with the suffix "level"
    $$                               a dollar sign

Postfix stops at a depth of 101 and would run for ever through a comparison that names itself; here a name that needs
its own value is an error at once, and the result is bounded, because doubling names ("a = $b$b") grow without end.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from audits.postfix.source_text import shown

MAX_DEPTH = 100
MAX_EXPANSION = 128 * 1024
"""Characters and expressions of one value; every real one is a hundred times shorter."""

MAX_MINOR_LEVEL = 1023
"""Postfix keeps the minor and the patch number of a compatibility level in ten bits each."""

Lookup = Callable[[str], str | None]
"""The raw value of a parameter; None where the name is not defined at all."""

_SPACE = " \t\r\n"
_CLOSING = {"(": ")", "{": "}"}
_OPERATOR = re.compile(r"[<>!=?+\-*/~&|%]*")
_SUFFIX = re.compile(r"[A-Za-z0-9]*")
_NAME = re.compile(r"[A-Za-z0-9_]*")
_LEVEL = re.compile(r"\s*\+?(\d+)(?:\.\s*\+?(\d+)(?:\.\s*\+?(\d+))?)?", re.ASCII)
_OPERATORS = ("==", "!=", "<", "<=", ">=", ">")


class MacroError(Exception):
    """A $name expression that Postfix would refuse, or never finish; the argument is the sentence."""


class Token(msgspec.Struct, frozen=True):
    """Literal text, or the inside of a $name expression."""

    text: str
    is_macro: bool


def tokens(text: str) -> Iterator[Token]:
    """Cut text into literals ("$$" already one "$") and $name expressions; raises MacroError."""
    literal: list[str] = []
    position = 0
    while position < len(text):
        dollar = text.find("$", position)
        if dollar < 0:
            literal.append(text[position:])
            break
        literal.append(text[position:dollar])
        if text[dollar + 1 : dollar + 2] == "$":
            literal.append("$")
            position = dollar + 2
            continue
        if any(literal):
            yield Token("".join(literal), is_macro=False)
        literal = []
        inside, position = _inside(text, dollar + 1)
        if not inside:
            raise MacroError(f'no name after the "$" in "{shown(text)}"; a dollar sign itself is written "$$"')
        yield Token(inside, is_macro=True)
    if any(literal):
        yield Token("".join(literal), is_macro=False)


def _inside(text: str, start: int) -> tuple[str, int]:
    """What stands in the parentheses, or the bare name, from `start`; and the position behind it."""
    opening = text[start : start + 1]
    if opening not in _CLOSING:
        match = _NAME.match(text, start)
        assert match is not None
        return match[0], match.end()
    level = 1
    for position in range(start + 1, len(text)):
        if text[position] == opening:
            level += 1
        elif text[position] == _CLOSING[opening]:
            level -= 1
        if level == 0:
            return text[start + 1 : position], position + 1
    raise MacroError(f'"${opening}" without its "{_CLOSING[opening]}" in "{shown(text)}"')


def expand(text: str, lookup: Lookup, within: tuple[str, ...] = ()) -> str:
    """The text with all $name expressions replaced; raises MacroError.

    `within` names the parameters whose values are being expanded around this text, outermost first.
    """
    return _Expansion(lookup).of(text, within, depth=0)


class _Expansion:
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._size = 0

    def of(self, text: str, within: tuple[str, ...], depth: int) -> str:
        """`within`: the names being expanded; `depth`: Postfix's own count, new inside of a comparison."""
        parts: list[str] = []
        for token in tokens(text):
            if depth > MAX_DEPTH:
                raise MacroError(f'$name expressions nested more than {MAX_DEPTH} deep at "{shown(token.text)}"')
            self._size += 1 if token.is_macro else len(token.text)
            if self._size > MAX_EXPANSION:
                raise MacroError(f"the value grows beyond {MAX_EXPANSION} characters")
            parts.append(self._macro(token.text, within, depth) if token.is_macro else token.text)
        return "".join(parts)

    def _macro(self, inside: str, within: tuple[str, ...], depth: int) -> str:
        value: str | None
        if inside.lstrip(_SPACE).startswith("{"):
            value, rest = self._comparison(inside, within)
            name = ""
            if rest and rest[0] not in "?:":
                raise MacroError(f'"?" or ":" expected before "{shown(rest)}"')
        else:
            name, rest = _name_and_rest(inside)
            value = self._lookup(name)
        if not rest:
            return self._unconditional(name, value or "", within, depth)
        chosen = _choice(rest, condition=bool(value))
        return self.of(chosen, within, depth + 1)

    def _unconditional(self, name: str, value: str, within: tuple[str, ...], depth: int) -> str:
        if not name:
            return value
        if name in within:
            loop = (*within[within.index(name) :], name)
            raise MacroError("loop of names: " + " -> ".join("$" + member for member in loop))
        return self.of(value, (*within, name), depth + 1)

    def _comparison(self, inside: str, within: tuple[str, ...]) -> tuple[str, str]:
        left, rest = _braced(inside)
        operator = _prefix(_OPERATOR, rest)
        if operator not in _OPERATORS:
            raise MacroError(f'"==", "!=", "<", "<=", ">=" or ">" expected before "{shown(rest)}"')
        rest = rest[len(operator) :]
        suffix = _prefix(_SUFFIX, rest)
        if suffix not in ("", "level"):
            raise MacroError(f'unknown comparison "{operator}{shown(suffix)}"; only the suffix "level" exists')
        rest = rest[len(suffix) :]
        if not rest.lstrip(_SPACE).startswith("{"):
            raise MacroError(f'"{{text}}" expected after "{operator}{suffix}", before "{shown(rest)}"')
        right, rest = _braced(rest)
        left, right = self.of(left, within, 0), self.of(right, within, 0)
        difference = _level_difference(left, right) if suffix else _difference(left, right)
        return ("true" if _holds(operator, difference) else ""), rest


def _prefix(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return match[0] if match else ""


def _name_and_rest(inside: str) -> tuple[str, str]:
    """The parameter's name and what follows it from the "?" or ":" on; white space around the name is no part of it."""
    text = inside.lstrip(_SPACE)
    name = _prefix(_NAME, text)
    rest = text[len(name) :].lstrip(_SPACE)
    if rest and rest[0] not in "?:":
        raise MacroError(f'"{shown(inside)}" is no parameter name (letters, digits, "_")')
    return name, rest


def _choice(rest: str, condition: bool) -> str:
    """The text that "?yes", ":no" or "?{yes}:{no}" selects."""
    yes = no = ""
    if rest[0] == "?":
        rest = rest[1:]
        if not rest.lstrip(_SPACE).startswith("{"):
            return rest if condition else ""
        yes, rest = _braced(rest)
        if not rest:
            return yes if condition else ""
        if rest[0] != ":":
            raise MacroError(f'":" expected before "{shown(rest)}"')
    rest = rest[1:]
    if rest.lstrip(_SPACE).startswith("{"):
        no, rest = _braced(rest)
        if rest:
            raise MacroError(f'nothing expected after "{{{shown(no)}}}", but there is "{shown(rest)}"')
    else:
        no = rest
    return yes if condition else no


def _braced(text: str) -> tuple[str, str]:
    """The inside of the braces that the text begins with, and what follows without leading white space."""
    start = text.index("{")
    level = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            level += 1
        elif text[position] == "}":
            level -= 1
        if level == 0:
            return text[start + 1 : position], text[position + 1 :].lstrip(_SPACE)
    raise MacroError(f'"{{" without its "}}" in "{shown(text)}"')


def _difference(left: str, right: str) -> int:
    """Below, equal to or above 0: by number where both are all digits, by bytes elsewhere."""
    if left.isascii() and left.isdigit() and right.isascii() and right.isdigit():
        if max(int(left), int(right)) >= 2**63:
            raise MacroError(f'"{left}" and "{right}" cannot be compared: the number is too large')
        return int(left) - int(right)
    a, b = left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape")
    return (a > b) - (a < b)


def _level_difference(left: str, right: str) -> int:
    """As `_difference`, of compatibility levels such as 2, 3.6 or 3.10.1."""
    a, b = _level(left), _level(right)
    return (a > b) - (a < b)


def _level(text: str) -> tuple[int, ...]:
    match = _LEVEL.fullmatch(text)
    numbers = tuple(int(part or 0) for part in match.groups()) if match else ()
    if not numbers or max(numbers[1:]) > MAX_MINOR_LEVEL:
        raise MacroError(f'"{shown(text)}" is no compatibility level such as 3.6')
    return numbers


def _holds(operator: str, difference: int) -> bool:
    return {
        "==": difference == 0,
        "!=": difference != 0,
        "<": difference < 0,
        "<=": difference <= 0,
        ">=": difference >= 0,
        ">": difference > 0,
    }[operator]
