"""main.cf as Postfix reads it: logical lines, the last setting wins, $name expansion, built-in defaults (postconf(5)).

The output of "postconf -n" is main.cf text and is read in the same way. What master.cf overrides with "-o" is not
known here; `with_settings` adds such overrides.
"""

import posixpath
from collections.abc import Iterator, Mapping

import msgspec

from audits.postfix import parameters
from audits.postfix.errors import ConfigError
from audits.postfix.macros import MacroError, expand
from audits.postfix.parameters import DEFAULT_VERSION, Version
from audits.postfix.source_text import SPACE, LogicalLine, logical_lines, read_source, shown

LOCAL_DOMAIN = "localdomain"
"""What Postfix takes for mydomain when myhostname has no dot."""


_BLANKS = str.maketrans(SPACE, " " * len(SPACE))


class Setting(msgspec.Struct, frozen=True):
    """One "name = value" with the unexpanded value, and the line on which it begins (0: not from the file)."""

    name: str
    value: str
    line: int


class MainCf(msgspec.Struct, frozen=True):
    """A main.cf file: `settings` in the order of the file, `version` the Postfix whose defaults stand behind it."""

    path: str
    settings: tuple[Setting, ...]
    version: Version = DEFAULT_VERSION

    def setting(self, name: str) -> Setting | None:
        """The last setting of that name; None where main.cf does not mention it."""
        return next((setting for setting in reversed(self.settings) if setting.name == name), None)

    def line(self, name: str) -> int:
        """The line that decides about the parameter, or 0 where the default does."""
        setting = self.setting(name)
        return setting.line if setting else 0

    def raw(self, name: str) -> str | None:
        """The unexpanded value, or default; None where neither exists. Raises MacroError for a host's own values."""
        setting = self.setting(name)
        if setting is not None:
            return setting.value
        if name in parameters.machine_names():
            return self._machine_value(name)
        return parameters.default(name, self.version)

    def value(self, name: str) -> str:
        """The expanded value, "" where it is not defined; raises ConfigError where Postfix could not go on."""
        return self.expanded(f"${{{name}}}", self.line(name), subject=name)

    def expanded(self, text: str, line: int, subject: str) -> str:
        """Any text with its $names replaced; raises ConfigError naming the line and the subject."""
        try:
            return expand(text, self.raw)
        except MacroError as error:
            raise ConfigError(self.path, line, f"{subject}: {error}") from error

    def flag(self, name: str) -> bool:
        """A yes/no parameter; raises ConfigError for every other word, as the Postfix daemons do."""
        value = self.value(name).lower()
        if value not in ("yes", "no"):
            raise ConfigError(self.path, self.line(name), f'{name} = {shown(value)}: only "yes" and "no" are allowed')
        return value == "yes"

    def with_settings(self, changes: Mapping[str, str]) -> "MainCf":
        """This configuration under a change, as if the settings were added at the end of the file."""
        added = tuple(Setting(name=name, value=value, line=0) for name, value in changes.items())
        return msgspec.structs.replace(self, settings=self.settings + added)

    def _machine_value(self, name: str) -> str:
        if name == "config_directory":
            return posixpath.dirname(self.path) or "."
        if name == "mydomain" and self.setting("myhostname"):
            return self.value("myhostname").partition(".")[2] or LOCAL_DOMAIN
        raise MacroError(f"${name} is not set in this file: Postfix takes it from the host; set {name} here")


def read_main_cf(path: str, version: Version = DEFAULT_VERSION) -> MainCf:
    """Read and parse a main.cf file; raises ConfigError."""
    return parse_main_cf(read_source(path), path, version)


def parse_main_cf(text: str, path: str, version: Version = DEFAULT_VERSION) -> MainCf:
    """Parse the text of main.cf; raises ConfigError for the first line that is no "name = value"."""
    settings: list[Setting] = []
    for line, parsed in parsed_lines(text):
        if isinstance(parsed, str):
            raise ConfigError(path, line.number, parsed)
        settings.append(parsed)
    return MainCf(path=path, settings=tuple(settings), version=version)


def parsed_lines(text: str) -> Iterator[tuple[LogicalLine, Setting | str]]:
    """Each logical line with its setting, or with the sentence that says why it is none.

    Orphaned continuations are left out, because Postfix ignores them.
    """
    for line in logical_lines(text):
        if not line.orphan:
            yield line, _setting(line)


def _setting(line: LogicalLine) -> Setting | str:
    before, equals, value = line.text.partition("=")
    words = before.strip(SPACE)
    if not words:
        return 'a parameter name is missing before the "="'
    name = words.translate(_BLANKS).split(" ")[0]
    if not equals or name != words:
        return f'"{shown(name)}" is not followed by "=": each line must read "name = value"'
    return Setting(name=name, value=value.strip(SPACE), line=line.number)
