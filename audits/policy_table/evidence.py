"""What several looks at one domain prove together: for each rung yes, no, or neither, with the reason.

The rule of the window, which loses no mail: a rung is proven when every look of the window was made, none of them holds
a "no" of any address, and each address of each MX host of today said yes at least once. One "no" in the window refutes
it: in the newest look it lowers a line at once, in an older one it holds a line down. An unanswered question proves
nothing and refutes nothing. `none` and `may` demand nothing, so they need no full window.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from audits.policy_table.looks import AddressLook, Look, Rung, Way, worst
from scanner.domain_name import printable
from scanner.facts import NO_MAIL_ROUTES, Fact, RouteStatus

HORIZON = timedelta(days=30)
"""After so long without a look, facts no longer carry a line; a certificate may end sooner (RFC 8461's "weeks")."""
UNDEMANDING = (Rung.NONE, Rung.MAY)
_CLIFFS = {
    Rung.MUST: "MUST",
    Rung.MUST_BY_NAME: "MUST",
    Rung.DANE: "DANE",
    Rung.DANE_ONLY: "DANE",
    Rung.DANE_OR_LESS: "DANE",
}


class Proof(msgspec.Struct, frozen=True):
    """A rung over the window; `why` is the "no" with its place, or what is missing."""

    fact: Fact
    why: str = ""


class Recheck(msgspec.Struct, frozen=True):
    """By when somebody must look again, and what ends then ("" for the plain horizon)."""

    by: datetime
    what: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """One domain over its window, newest look first. `gap` says why nothing at all can be written, "" where one can."""

    looks: tuple[Look, ...]
    wanted: int
    hosts: tuple[str, ...]
    addresses: tuple[AddressLook, ...]
    proofs: dict[Rung, Proof]
    ways: dict[Way, Fact]
    gap: str = ""

    @property
    def newest(self) -> Look:
        return self.looks[0]

    @property
    def entry(self) -> str:
        return self.newest.entry

    @property
    def complete(self) -> bool:
        return len(self.looks) >= self.wanted

    def proven(self, rung: Rung) -> bool:
        return self.proofs[rung].fact is Fact.YES

    def refuted(self, rung: Rung) -> bool:
        return self.proofs[rung].fact is Fact.NO

    @property
    def delayed(self) -> tuple[str, ...]:
        """The hosts at which a mail at MAY waits before it goes in clear, by the newest answer of each address."""
        return tuple(dict.fromkeys(address.host for address in self.addresses if address.delayed))

    @property
    def all_delayed(self) -> bool:
        return bool(self.addresses) and all(address.delayed for address in self.addresses)

    @property
    def names_known(self) -> bool:
        """The names that certificates are compared with do not rest on unsigned MX records alone."""
        return any(fact is Fact.YES for fact in self.ways.values())

    @property
    def dane_is_open(self) -> bool:
        """Nobody looked for TLSA records (--no-policy), or the answers leave open whether they hold."""
        return self.proofs[Rung.DANE_ONLY].fact is Fact.INCONCLUSIVE

    def host_fact(self, host: str, rung: Rung) -> Fact:
        """A rung at one host over the window."""
        every = [a for look in self.looks for a in look.addresses if a.host == host]
        if any(address.fact(rung) is Fact.NO for address in every):
            return Fact.NO
        return worst(address.fact(rung) for address in self.addresses if address.host == host)

    def recheck(self, rung: Rung) -> Recheck:
        """The next cliff of the rung, or the horizon: both by the look that proved it, which may not be the newest."""
        proofs = [self._newest_yes(address, rung) for address in self.addresses]
        ends = [Recheck((address.seen_at or look.at) + HORIZON) for look, address in proofs]
        ends = ends or [Recheck(self.newest.at + HORIZON)]
        if kind := _CLIFFS.get(rung):
            found = {cliff for look, _ in proofs for cliff in look.cliffs}
            ends += [Recheck(at, what) for name, at, what in sorted(found) if name == kind]
        ends += [Recheck(end, f"certificate of {printable(host)} expires") for host, end in _leaves(proofs, rung)]
        return min(ends, key=lambda each: each.by)

    def _newest_yes(self, wanted: AddressLook, rung: Rung) -> tuple[Look, AddressLook]:
        """Where this address last sustained the rung; its newest answer where it never did."""
        found = [(look, address) for look in self.looks for address in look.addresses if _same(address, wanted)]
        said_yes = [pair for pair in found if pair[1].fact(rung) is Fact.YES]
        return next(iter(said_yes or [pair for pair in found if pair[1].answered] or found))


def _leaves(proofs: Sequence[tuple[Look, AddressLook]], rung: Rung) -> Iterator[tuple[str, datetime]]:
    for _, address in proofs:
        end = {Rung.MUST: address.until, Rung.MUST_BY_NAME: address.until_by_name}.get(rung)
        if end is not None:
            yield address.host, end


def evidence_of(looks: Sequence[Look], wanted: int, ipv4_only: bool = False) -> Evidence:
    """The evidence of the newest `wanted` looks, given newest first; at least one.

    `ipv4_only` leaves IPv6 addresses out, for a sender with inet_protocols = ipv4.
    """
    window = tuple(map(_without_ipv6, looks[:wanted])) if ipv4_only else tuple(looks[:wanted])
    routed = next((look for look in window if look.status is not RouteStatus.UNRESOLVED), window[0])
    addresses = tuple(_newest_answers(window, routed.hosts))
    gap = _gap(window, routed, addresses)
    proofs = {rung: _proof(rung, window, wanted, addresses, gap) for rung in Rung}
    return Evidence(window, wanted, routed.hosts, addresses, proofs, _ways(window, addresses), gap)


def _without_ipv6(look: Look) -> Look:
    addresses = tuple(address for address in look.addresses if ":" not in address.address)
    located = {address.host for address in addresses}
    unlocated = tuple(host for host in look.unlocated if host not in located)
    return msgspec.structs.replace(look, addresses=addresses, unlocated=unlocated)


def _newest_answers(window: Sequence[Look], hosts: Sequence[str]) -> Iterator[AddressLook]:
    """Each address that a host of today had in the window, as it answered last; or unanswered, where it never did."""
    found: dict[tuple[str, str], AddressLook] = {}
    for look in window:
        for address in look.addresses:
            where = (address.host, address.address)
            if address.host in hosts and (where not in found or not found[where].answered):
                found[where] = address
    yield from found.values()


def _gap(window: Sequence[Look], routed: Look, addresses: Sequence[AddressLook]) -> str:
    if window[0].status in NO_MAIL_ROUTES:
        return f"it takes no mail ({window[0].status.value})"
    if routed.status is RouteStatus.UNRESOLVED:
        return f"its MX records could not be looked up in {_runs(len(window))}"
    located = {host for look in window for host in look.hosts if host not in look.unlocated}
    for host in routed.unlocated:
        if host not in located:
            return f"the addresses of {printable(host)} could not be looked up"
    if not addresses:
        return "no address of its hosts was asked"
    for address in addresses:
        if not address.answered:
            return f"{printable(address.host)} [{address.address}] answered in none of {_runs(len(window))}"
    return ""


def _proof(rung: Rung, window: Sequence[Look], wanted: int, addresses: Sequence[AddressLook], gap: str) -> Proof:
    for look in window:
        for address in look.addresses:
            if address.fact(rung) is Fact.NO:
                place = f"{printable(address.host)} [{address.address}] on {look.at:%Y-%m-%d}"
                return Proof(Fact.NO, f"{address.reasons.get(rung) or 'not sustained'}, {place}")
    if gap:
        return Proof(Fact.INCONCLUSIVE, gap)
    if rung not in UNDEMANDING and len(window) < wanted:
        return Proof(Fact.INCONCLUSIVE, f"seen in {len(window)} of {_runs(wanted)}")
    for each in addresses:
        answers = (a.fact(rung) for look in window for a in look.addresses if _same(a, each))
        if Fact.YES not in answers:
            return Proof(Fact.INCONCLUSIVE, f"not known of {printable(each.host)} [{each.address}]")
    return Proof(Fact.YES)


def _same(one: AddressLook, other: AddressLook) -> bool:
    return (one.host, one.address) == (other.host, other.address)


def _ways(window: Sequence[Look], addresses: Sequence[AddressLook]) -> dict[Way, Fact]:
    """One "no" in the window is a no. A yes is about the hosts that answered in its look, so each must be in one."""
    ways = {}
    for way in Way:
        said = {look.ways.get(way, Fact.INCONCLUSIVE) for look in window}
        looks = [look for look in window if look.ways.get(way) is Fact.YES]
        seen = {(a.host, a.address) for look in looks for a in look.addresses if a.answered}
        known = bool(addresses) and all((a.host, a.address) in seen for a in addresses)
        ways[way] = Fact.NO if Fact.NO in said else Fact.YES if known else Fact.INCONCLUSIVE
    return ways


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"
