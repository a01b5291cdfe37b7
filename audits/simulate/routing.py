"""Where the mail of a domain goes next: transport_maps, relayhost, default_transport (transport(5)).

The transport is the part before the first colon. What is not delivered by smtp(8) under main.cf's own settings is
named: another service of master.cf may have settings of its own.
"""

import re
from collections.abc import Iterator

import msgspec

from audits.postfix.main_cf import MainCf
from audits.postfix.open_tables import Reader, open_tables
from audits.postfix.pattern_tables import PATTERN_TYPES
from audits.postfix.resolve import uses_utf8
from audits.postfix.source_text import read_source, shown
from audits.postfix.tables import Hit, LookupFailure, Miss, TableList

SMTP_SERVICES = frozenset({"smtp", "relay"})
"""The services of the stock master.cf that are smtp(8); both read main.cf alike but for the HELO name and timeouts."""
SAMPLE_USER = "postmaster"
"""The local part for regexp: and pcre: tables, which see whole addresses only."""
_HOPS = re.compile(r"[^, \t\r\n]+")
_NAMES = re.compile(r"[^, \t\r\n]+")


class Transport(msgspec.Struct, frozen=True):
    """A delivery agent with its next-hops in the order in which they are tried; `why` says what chose it."""

    service: str
    next_hops: tuple[str, ...]
    why: str
    relay: bool = False
    """The next-hop is main.cf's relayhost, whose DNS errors defer instead of bouncing."""


class Routing(msgspec.Struct, frozen=True):
    """The routing of one configuration; `table` None: no transport table."""

    main_cf: MainCf
    table: TableList | None
    relayhost: str
    default: str
    own: frozenset[str]
    relayed: frozenset[str] = frozenset()
    relay_transport: str = "relay"
    notes: tuple[str, ...] = ()

    def of(self, domain: str) -> Transport | str:
        """The transport for a domain, or a sentence where the look-up fails and the mail waits."""
        service, hop = self._without_table(domain)
        relay = bool(self.relayhost) and hop == self.relayhost
        chosen = "relayhost" if relay else "no transport entry"
        if self.table is not None:
            found = self._entry(self.table, domain)
            if isinstance(found, LookupFailure):
                return found.reason
            if isinstance(found, Hit):
                left, _, right = found.value.partition(":")
                left, right = left.strip(), right.strip()
                if left or right:
                    relay = relay and not left and not right
                    hop = right or domain
                    service, chosen = left or service, f"transport_maps, {found.place}"
        return Transport(service, tuple(_HOPS.findall(hop)), chosen, relay)

    def _without_table(self, domain: str) -> tuple[str, str]:
        if domain in self.own:
            return "local", domain
        relayed = bool(self.relayed) and not self.relayed.isdisjoint(self._keys("relay_domains", domain))
        chosen = self.relay_transport if relayed else self.default
        service, _, hop = chosen.partition(":")
        return service, hop or self.relayhost or domain

    def _keys(self, parameter: str, domain: str) -> Iterator[str]:
        """The domain and its parents, with a leading dot unless parent_domain_matches_subdomains has the parameter."""
        plain = parameter in _NAMES.findall(self.main_cf.value("parent_domain_matches_subdomains"))
        yield domain
        labels = domain.split(".")
        for index in range(1, len(labels)):
            yield ("" if plain else ".") + ".".join(labels[index:])

    def _entry(self, table: TableList, domain: str) -> Hit | LookupFailure | Miss:
        """The address, the domain, its parents, "*"; pattern tables see the address, and the "*" as it stands."""
        found = table.lookup(f"{SAMPLE_USER}@{domain}")
        if not isinstance(found, Miss):
            return found
        exact = TableList(tuple(each for each in table.tables if each.name.partition(":")[0] not in PATTERN_TYPES))
        for key in self._keys("transport_maps", domain):
            found = exact.lookup(key)
            if not isinstance(found, Miss):
                return found
        return table.lookup("*")


def routing_of(main_cf: MainCf, reader: Reader = read_source, table: TableList | None = None) -> Routing:
    """Read the routing of main.cf; `table` stands in place of transport_maps. Raises ConfigError."""
    listed = main_cf.value("transport_maps")
    if table is None and listed:
        table = open_tables(listed, reader, (main_cf.path, main_cf.line("transport_maps")), uses_utf8(main_cf))
    own, notes = _listed(main_cf, ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains"))
    relayed, more = _listed(main_cf, ("relay_domains",))
    notes += more
    patterns = [each.name for each in table.tables if each.name.partition(":")[0] in PATTERN_TYPES] if table else []
    notes += [
        f"{shown(name)}: asked about {SAMPLE_USER}@DOMAIN, as the table sees whole addresses" for name in patterns
    ]
    return Routing(
        main_cf=main_cf,
        table=table,
        relayhost=main_cf.value("relayhost"),
        default=main_cf.value("default_transport"),
        own=frozenset(own),
        relayed=frozenset(relayed),
        relay_transport=main_cf.value("relay_transport"),
        notes=tuple(notes),
    )


def _listed(main_cf: MainCf, parameters: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """The domains of these lists, as far as main.cf names them in words, and notes about the tables among them."""
    own: set[str] = set()
    notes: list[str] = []
    for name in parameters:
        by_default = name == "mydestination" and main_cf.setting("myhostname") is not None
        if main_cf.setting(name) is None and not by_default:
            continue
        words = _NAMES.findall(main_cf.value(name))
        own |= {word.lower() for word in words if ":" not in word and "/" not in word}
        if any(":" in word or "/" in word for word in words):
            where = f"{main_cf.path}:{main_cf.line(name)}"
            notes.append(f"{where}: {name}: its tables are not read, so their domains count as remote")
    return own, notes
