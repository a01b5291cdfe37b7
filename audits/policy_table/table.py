"""All lines of a table: one for each domain, and for the transport format the routes beside them.

smtp_tls_per_site looks up the MX host's name, too, and the greater value wins. So a listed domain whose name is also an
MX host of another one gets a line only if its value is sustained there.
"""

from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from audits.policy_table.evidence import Evidence
from audits.policy_table.lines import (
    POLICY_MAPS_SINCE,
    Candidate,
    Line,
    Skip,
    TableFormat,
    Wish,
    line_of,
    unmatchable,
    unusable,
)
from audits.policy_table.looks import Rung
from audits.postfix.hostnames import valid_hostname
from audits.postfix.parameters import Version
from audits.postfix.per_site import PER_SITE_ORDER
from scanner.domain_name import printable
from scanner.facts import Fact, Level

SEVERAL_NEXT_HOPS_SINCE = Version(3, 5, 0)
"""transport(5): from here on a next-hop may be a list."""


class Table(msgspec.Struct, frozen=True):
    """The policy lines, and for the transport format its lines: `routes` from a domain to its hosts in brackets."""

    lines: tuple[Line, ...]
    skips: tuple[Skip, ...]
    routes: tuple[Line, ...] = ()
    failing: Mapping[str, frozenset[Rung]] = {}
    """Of each name that can be a key, without its brackets: the rungs that some look of the window refuted."""

    def refutes(self, key: str, value: str) -> bool:
        """Whether the servers were seen to fail what a line that stands somewhere demands."""
        return bool(self.failing.get(key.strip("[]").lower(), frozenset()) & {_demanded(value)})


def table_of(evidence: Iterable[Evidence], wish: Wish, beside: Iterable[Evidence] = ()) -> Table:
    """The table for these domains, in the order of their keys.

    `beside` are domains that get no line, but whose mail a key may be found for.
    """
    domains = sorted(evidence, key=lambda each: each.entry)
    failing = _failing((*domains, *beside), {each.entry for each in domains}, wish)
    if wish.format is TableFormat.TRANSPORT:
        return msgspec.structs.replace(_routed(domains, wish), failing=failing)
    made = [line_of(each, wish) for each in domains]
    lines = {line.key: line for line in made if isinstance(line, Line)}
    skips = [skip for skip in made if isinstance(skip, Skip)]
    if wish.format is TableFormat.PER_SITE:
        for skip in _colliding(lines, (*domains, *beside)):
            del lines[skip.entry]
            skips.append(skip)
    return Table(tuple(lines.values()), tuple(skips), failing=failing)


_DEMANDED = {
    **{"none": Rung.NONE, "may": Rung.MAY, "encrypt": Rung.MUST_NOPEERMATCH, "must_nopeermatch": Rung.MUST_NOPEERMATCH},
    **{"dane": Rung.DANE_OR_LESS, "dane-only": Rung.DANE_ONLY},
}


def _demanded(value: str) -> Rung:
    """What a line demands of the servers; a route stands for the MUST of its hosts."""
    words = value.lower().split()
    by_name = any(word.startswith("servername=") for word in words)
    return _DEMANDED.get(words[0] if words else "", Rung.MUST_BY_NAME if by_name else Rung.MUST)


def _failing(domains: Iterable[Evidence], listed: Container[str], wish: Wish) -> dict[str, frozenset[Rung]]:
    """By entry, and by MX host where hosts are keys of this table."""
    found: dict[str, frozenset[Rung]] = {}
    for each in domains:
        if each.entry in listed:
            key = each.entry.strip("[]")
            found[key] = found.get(key, frozenset()) | {rung for rung in Rung if each.refuted(rung)}
        for host in each.hosts:
            if wish.format is TableFormat.TRANSPORT or (wish.format is TableFormat.PER_SITE and host in listed):
                refuted = {rung for rung in Rung if each.host_fact(host, rung) is Fact.NO}
                found[host] = found.get(host, frozenset()) | refuted
    return found


# --- per-site: keys that are found for other domains, too ----------------------------------------------------------


def _colliding(lines: Mapping[str, Line], domains: Iterable[Evidence]) -> list[Skip]:
    found: dict[str, Skip] = {}
    for each in domains:
        for host in each.hosts:
            line = lines.get(host)
            if line is None or host == each.entry or host in found:
                continue
            own = lines.get(each.entry)
            values = [Level(line.value), *([Level(own.value)] if own else [])]
            winner = max(values, key=PER_SITE_ORDER.index)
            if own is not None and winner == own.value:
                continue
            if each.host_fact(host, Rung(winner.value)) is not Fact.YES:
                why = f"it is also an MX host of {each.entry}, which does not sustain {winner} there as far as known"
                found[host] = Skip(host, why)
            elif winner is Level.NONE and each.host_fact(host, Rung.MUST_NOPEERMATCH) is not Fact.NO:
                found[host] = Skip(host, f"it is also an MX host of {each.entry}, whose mail would go in clear with it")
    return list(found.values())


# --- transport: the way around the DNS (TLS_README of 2.2.9, "Closing a DNS loophole") -----------------------------


def _routed(domains: Iterable[Evidence], wish: Wish) -> Table:
    policies: dict[str, Line] = {}
    routes: list[Line] = []
    skips: list[Skip] = []
    refusing = {each.entry for each in domains if each.newest.brackets and each.refuted(Rung.MUST)}
    for each in domains:
        keys = [each.entry] if each.newest.brackets else [f"[{host}]" for host in each.hosts]
        shared = next((f"{key} is a next-hop of its own, where MUST fails" for key in keys if key in refusing), "")
        fault = _unroutable(each, wish) or printable(shared)
        if fault:
            skips.append(Skip(each.entry, fault))
            continue
        made = list(_bracket_lines(each, keys, wish))
        if not each.newest.brackets:
            routes.append(msgspec.structs.replace(made[0], key=each.entry, value=f"smtp:{', '.join(keys)}"))
        for line in made:
            policies.setdefault(line.key, line)
    return Table(tuple(policies[key] for key in sorted(policies)), tuple(skips), tuple(routes))


def _bracket_lines(evidence: Evidence, keys: Iterable[str], wish: Wish) -> Iterator[Line]:
    """The next-hop in brackets names the server, so that `secure` and `verify` demand the same name."""
    named = not evidence.newest.brackets or valid_hostname(evidence.newest.name)
    value = "secure match=nexthop" if named else "verify"
    value = "MUST" if wish.version < POLICY_MAPS_SINCE else value
    candidate = Candidate(Rung.MUST, value, trusting=not evidence.names_known)
    for key in keys:
        yield Line(key, value, candidate, evidence, evidence.recheck(Rung.MUST))


def _unroutable(evidence: Evidence, wish: Wish) -> str:
    """Why a domain's mail is left to the DNS; "" where it can be routed."""
    if fault := unusable(evidence):
        return fault
    if not evidence.proven(Rung.MUST):
        return f"not MUST: {evidence.proofs[Rung.MUST].why}"
    if nameless := unmatchable(evidence, wish.version):
        return nameless
    if wish.strict and not evidence.names_known:
        return "its hosts are known from unsigned MX records alone (--strict)"
    recheck = evidence.recheck(Rung.MUST)
    if recheck.by <= wish.now:
        return f"{recheck.what or 'the newest look is too old'} ({recheck.by:%Y-%m-%d}); scan again"
    if evidence.newest.brackets:
        return ""
    if evidence.newest.port is not None:
        return "a next-hop with a port is no recipient domain, so transport(5) does not look it up"
    if len(evidence.hosts) > 1 and wish.version < SEVERAL_NEXT_HOPS_SINCE:
        return f"it has {len(evidence.hosts)} MX hosts, and before Postfix 3.5 a route has one next-hop"
    strange = next((host for host in evidence.hosts if not valid_hostname(host)), "")
    return f"its MX host {printable(strange)} is no host name" if strange else ""
