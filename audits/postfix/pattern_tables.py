"""regexp: and pcre: tables, read from their source text (regexp_table(5), pcre_table(5)).

    /pattern/flags result        !/pattern/flags result        if /pattern/flags ... endif
    /pattern/!/pattern/ result   (regexp: only)

Case does not matter unless the flag "i" is given; flags toggle. $1 and ${1} in the result stand for the text of a
group. A line that Postfix cannot use becomes a problem and is skipped, as Postfix does; a pattern that this program
cannot translate faithfully stops the reading with a ConfigError.
"""

import msgspec

from audits.postfix.errors import ConfigError
from audits.postfix.macros import MacroError, Token, tokens
from audits.postfix.pattern_syntax import Dialect, InvalidPattern, Translated, UnsupportedPattern, translate
from audits.postfix.source_text import SPACE, LogicalLine, is_utf8, logical_lines, shown
from audits.postfix.tables import Found, Hit, LookupFailure, Miss, TableProblem

PATTERN_TYPES = ("regexp", "pcre")
_FLAGS = {Dialect.REGEXP: "imx", Dialect.PCRE: "imsxAEUX"}
_REFUSED_FLAGS = {
    (Dialect.REGEXP, "x"): 'the flag "x" (basic regular expressions)',
    (Dialect.PCRE, "x"): 'the flag "x" (free spacing)',
    (Dialect.PCRE, "U"): 'the flag "U" (ungreedy)',
    (Dialect.PCRE, "X"): 'the flag "X" (gone with PCRE2)',
}


class Condition(msgspec.Struct, frozen=True):
    """A pattern, and whether it must match or must not."""

    pattern: Translated
    negated: bool

    def holds(self, key: bytes) -> bool:
        """True when the key is what the condition asks for."""
        return (self.pattern.regex.search(key) is None) == self.negated


class MatchRule(msgspec.Struct, frozen=True, tag="match"):
    """One pattern with its result, in the parts of the macro language; `second` must hold, too."""

    line: int
    condition: Condition
    second: Condition | None
    result: tuple[Token, ...]


class IfRule(msgspec.Struct, frozen=True, tag="if"):
    """The rules up to its endif count only where the condition holds; `end` is the index of the endif."""

    line: int
    condition: Condition
    end: int = -1


class EndRule(msgspec.Struct, frozen=True, tag="endif"):
    """The end of an if."""

    line: int


Rule = MatchRule | IfRule | EndRule


class PatternTable(msgspec.Struct, frozen=True):
    """A table of patterns in their order; `problems` are the lines that Postfix skips or warns about."""

    kind: Dialect
    path: str
    rules: tuple[Rule, ...]
    problems: tuple[TableProblem, ...]
    utf8: bool

    @property
    def name(self) -> str:
        """Type and path as in main.cf."""
        return f"{self.kind}:{self.path}"

    def lookup(self, key: str) -> Found:
        """The result of the first rule that matches the key; the key is not folded."""
        if self.utf8 and not is_utf8(key):
            return Miss()
        data = key.encode("utf-8", "surrogateescape")
        index = 0
        while index < len(self.rules):
            rule = self.rules[index]
            index += 1
            match rule:
                case IfRule() if not rule.condition.holds(data):
                    if rule.end < 0:
                        return Miss()
                    index = rule.end
                case MatchRule() if rule.condition.holds(data) and (rule.second is None or rule.second.holds(data)):
                    return self._result(rule, data)
                case _:
                    pass
        return Miss()

    def _result(self, rule: MatchRule, key: bytes) -> Found:
        found = rule.condition.pattern.regex.search(key)
        parts = [
            (found[int(token.text)] or b"" if found else b"")
            if token.is_macro
            else token.text.encode("utf-8", "surrogateescape")
            for token in rule.result
        ]
        value = b"".join(parts).decode("utf-8", "surrogateescape")
        if self.utf8 and not is_utf8(value):
            return LookupFailure(f"{self.path}:{rule.line}: the result is no UTF-8")
        return Hit(value, f"{self.path}:{rule.line}")


class _Skip(Exception):
    """Postfix skips the line: the code and the sentence of the problem."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def parse_pattern_table(text: str, path: str, kind: Dialect, utf8: bool = True) -> PatternTable:
    """Read a pattern table; raises ConfigError for a construct outside of the supported subset."""
    return _Reader(path, kind).table(text, utf8)


class _Reader:
    def __init__(self, path: str, kind: Dialect) -> None:
        self._path = path
        self._kind = kind
        self._rules: list[Rule] = []
        self._open: list[int] = []
        self._problems: list[TableProblem] = []

    def table(self, text: str, utf8: bool) -> PatternTable:
        for line in logical_lines(text):
            if line.orphan:
                self._warn("orphan", line.number, "the first line starts with white space and is ignored")
                continue
            try:
                self._read(line)
            except _Skip as skip:
                self._warn(skip.code, line.number, skip.sentence)
            except UnsupportedPattern as refused:
                raise ConfigError(self._path, line.number, f"{refused} is not supported here") from refused
        for index in self._open:
            self._warn("if", self._rules[index].line, '"if" without its "endif"', ignored=False)
        return PatternTable(self._kind, self._path, tuple(self._rules), tuple(self._problems), utf8)

    def _warn(self, code: str, line: int, sentence: str, ignored: bool = True) -> None:
        self._problems.append(TableProblem(code, line, sentence, ignored))

    def _read(self, line: LogicalLine) -> None:
        text = line.text.rstrip(SPACE)
        word = text[:5].lower()
        if not (text[0].isascii() and text[0].isalnum()):
            self._rules.append(self._match_rule(text, line.number))
        elif word.startswith("if") and not _alphanumeric(text[2:3]):
            self._if(text[2:], line.number)
        elif word == "endif" and not _alphanumeric(text[5:6]):
            self._endif(text[5:], line.number)
        else:
            raise _Skip("unrecognized", f'"{shown(text)}" is no pattern in delimiters, no "if" and no "endif"')

    def _match_rule(self, text: str, number: int) -> MatchRule:
        condition, rest = self._condition(text)
        second = None
        if self._kind is Dialect.REGEXP and rest.startswith("!"):
            second, rest = self._condition(rest)
        result = rest.lstrip(SPACE)
        if not result:
            self._warn("no-value", number, "the pattern has no result, and an empty result is a lookup error")
        return MatchRule(number, condition, second, self._tokens(result, condition))

    def _if(self, text: str, number: int) -> None:
        condition, rest = self._condition(text.lstrip(SPACE))
        if rest.strip(SPACE):
            sentence = f'text after the pattern of "if" is ignored: "{shown(rest.strip(SPACE))}"'
            self._warn("extra-text", number, sentence + "; rules between if and endif must not be indented")
        self._open.append(len(self._rules))
        self._rules.append(IfRule(number, condition))

    def _endif(self, text: str, number: int) -> None:
        if not self._open:
            raise _Skip("if", '"endif" without its "if"')
        if text.strip(SPACE):
            self._warn("extra-text", number, f'text after "endif" is ignored: "{shown(text.strip(SPACE))}"')
        opened = self._open.pop()
        rule = self._rules[opened]
        assert isinstance(rule, IfRule)
        self._rules[opened] = msgspec.structs.replace(rule, end=len(self._rules))
        self._rules.append(EndRule(number))

    def _condition(self, text: str) -> tuple[Condition, str]:
        """A pattern in its delimiters with "!" before and flags behind it; and the rest of the line."""
        stripped = text.lstrip(SPACE + "!")
        negated = text[: len(text) - len(stripped)].count("!") % 2 == 1
        if not stripped:
            raise _Skip("pattern", "a pattern is missing")
        end = _end_of_pattern(stripped)
        if end < 0:
            raise _Skip("pattern", f'no closing "{stripped[0]}" in "{shown(stripped)}"')
        flags, rest = self._flags(stripped[end + 1 :])
        try:
            pattern = translate(stripped[1:end], self._kind, flags.count("i") % 2 == 0, flags.count("A") % 2 == 1)
        except InvalidPattern as error:
            raise _Skip("pattern", f'"{shown(stripped[: end + 1])}" is no valid pattern: {error}') from error
        return Condition(pattern, negated), rest

    def _flags(self, text: str) -> tuple[str, str]:
        ends = SPACE + ("!" if self._kind is Dialect.REGEXP else "")
        length = next((position for position, char in enumerate(text) if char in ends), len(text))
        flags = text[:length]
        for flag in flags:
            if flag not in _FLAGS[self._kind]:
                raise _Skip("pattern", f'unknown flag "{shown(flag)}" behind the pattern')
            if flags.count(flag) % 2 and (self._kind, flag) in _REFUSED_FLAGS:
                raise UnsupportedPattern(_REFUSED_FLAGS[self._kind, flag])
        return flags, text[length:]

    def _tokens(self, result: str, condition: Condition) -> tuple[Token, ...]:
        try:
            parts = tuple(tokens(result))
        except MacroError as error:
            raise _Skip("substitution", str(error)) from error
        numbers = [token.text for token in parts if token.is_macro]
        for number in numbers:
            if not (number.isascii() and number.isdigit()) or not 1 <= int(number[:6]) <= condition.pattern.groups:
                raise _Skip("substitution", f'"${shown(number)}" is no group of the pattern')
        if numbers and condition.negated:
            raise _Skip("substitution", '"$number" cannot stand behind a pattern with "!"')
        if numbers and self._kind is Dialect.REGEXP and condition.pattern.ambiguous:
            raise UnsupportedPattern('"$number" behind a pattern with alternatives or repeated groups')
        return parts


def _alphanumeric(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _end_of_pattern(text: str) -> int:
    """Where the closing delimiter stands, -1 where there is none; a backslash protects the character behind it."""
    position = 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == text[0]:
            return position
        position += 1
    return -1
