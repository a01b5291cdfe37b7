"""The four values of a question put to a server; apart from the facts so that every fact file can use them."""

from enum import StrEnum


class Fact(StrEnum):
    """The four values of a question put to a server. An unanswered question is never a "no"."""

    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not-tested"
