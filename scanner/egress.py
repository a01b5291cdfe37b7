"""Notices that this machine's own outgoing port 25 is blocked, as in most access and cloud networks.

Silence from one server says something about that server; silence from the first servers in twenty different networks
says something about us, and a run that goes on would call everybody inconclusive.

A run that was interrupted after servers had answered begins with what was in flight, and that is mostly what is silent:
so many more are then allowed to be.
"""

from ipaddress import ip_address

from scanner.addresses import provider_network
from scanner.facts import Endpoint, SessionFacts
from scanner.failures import Kind, Stage

ENOUGH = 20
"""Networks that must all be silent before a run is stopped."""
FEWEST = 3
"""With fewer networks than this in the whole input nothing is concluded."""


class EgressBlocked(Exception):
    """All that was asked on port 25 timed out while connecting."""


class EgressWatch:
    """Watches the first connections to port 25 over IPv4; `in_flight` targets were left by an interrupted run."""

    def __init__(self, in_flight: int = 0) -> None:
        self._in_flight = in_flight
        self._silent: set[str] = set()
        self._answered = False

    def note(self, endpoint: Endpoint, session: SessionFacts) -> None:
        """Takes in one session; raises EgressBlocked once twenty networks are silent and none spoke."""
        if self._answered or endpoint.port != 25 or ip_address(endpoint.address).version != 4:
            return
        failure = session.failure
        if failure is None or failure.stage is not Stage.CONNECT or failure.kind is not Kind.TIMEOUT:
            self._answered = True
            return
        self._silent.add(provider_network(endpoint.address) or endpoint.address)
        if len(self._silent) >= ENOUGH + self._in_flight:
            raise EgressBlocked(self._sentence())

    def conclude(self) -> None:
        """At the end of the input: raises EgressBlocked where three networks or more were asked and all silent."""
        if not self._answered and len(self._silent) >= FEWEST + self._in_flight:
            raise EgressBlocked(self._sentence())

    def _sentence(self) -> str:
        return (
            f"no server in {len(self._silent)} different networks let us connect to port 25: outgoing port 25 seems "
            "blocked here. Many networks do that; run tlsaudit where mail may leave, or see `tlsaudit demo`."
        )
