"""The words of the lab: a server state is one server with one behaviour, one address and one domain."""

from enum import StrEnum

from msgspec import Struct, field


class Kind(StrEnum):
    """Which program shows a state."""

    POSTFIX = "postfix"
    POSTSCREEN = "postscreen"
    EXIM = "exim"
    ODD = "odd"
    NOBODY = "nobody"
    """Nothing listens: connections are refused."""


class State(Struct, frozen=True, kw_only=True):
    """One server: `chains` names what it shows, `options` are in the program's own words.

    `script` is what an odd server says (see odd_server.py). `hostile` states are not asked by the sending Postfix.
    """

    name: str
    kind: Kind = Kind.POSTFIX
    chains: tuple[str, ...] = ("good-ecdsa",)
    options: dict[str, str] = field(default_factory=dict)
    script: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hostile: bool = False
    ipv6: bool = False
    ports: tuple[int, ...] = (25,)
    """465 with TLS at once and 587 for submission, beside 25; Postfix only."""

    @property
    def domain(self) -> str:
        return f"{self.name}.test"

    @property
    def host(self) -> str:
        return f"mx.{self.domain}"


class Placed(Struct, frozen=True):
    """A state with the address at which its server listens."""

    state: State
    address: str

    @property
    def record(self) -> str:
        """The address as an answer to its name."""
        return f"{'AAAA' if self.state.ipv6 else 'A'} {self.address}"


def placed(states: list[State]) -> list[Placed]:
    """Addresses in networks (/24) of their own, so that no provider's limit binds them together."""
    return [
        Placed(state, f"fd00:{at + 1:x}::1" if state.ipv6 else f"127.{20 + at // 200}.{at % 200 + 1}.1")
        for at, state in enumerate(states)
    ]
