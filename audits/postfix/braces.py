"""Lists with {grouped} members, as Postfix cuts them: table lists, inline: tables, policy attributes (postconf(5))."""

from audits.postfix.source_text import SPACE, shown

SEPARATORS = ", \t\r\n"


class BraceError(Exception):
    """Text that is no list of the expected form; the argument is the sentence."""


def split_list(text: str, separators: str = SEPARATORS) -> list[str]:
    """The members of a list; separators inside of balanced braces separate nothing."""
    members: list[str] = []
    current: list[str] = []
    level = 0
    for char in text:
        if level == 0 and char in separators:
            if current:
                members.append("".join(current))
            current = []
            continue
        current.append(char)
        if char == "{":
            level += 1
        elif char == "}" and level > 0:
            level -= 1
    if current:
        members.append("".join(current))
    return members


def without_braces(text: str) -> str:
    """The inside of "{ text }" without the white space around it; raises BraceError."""
    if not text.startswith("{"):
        raise BraceError(f'"{{" expected before "{shown(text)}"')
    level = 0
    for position, char in enumerate(text):
        level += (char == "{") - (char == "}")
        if level == 0:
            if position + 1 < len(text):
                raise BraceError(f'nothing expected after the closing "}}" in "{shown(text)}"')
            return text[1:position].strip(SPACE)
    raise BraceError(f'"{{" without its "}}" in "{shown(text)}"')


def name_and_value(text: str) -> tuple[str, str]:
    """ "name = value" as its two parts; raises BraceError."""
    before, equals, value = text.partition("=")
    name = before.strip(SPACE)
    if not equals or any(char in SPACE for char in name):
        raise BraceError(f'"=" is missing after the name in "{shown(text)}"')
    return name, value.strip(SPACE)
