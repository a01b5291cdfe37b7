"""Hosts that offered STARTTLS while the policy does not use it ("Discovering servers that support TLS", TLS_README).

smtp(8) says so of a server whose EHLO reply shows STARTTLS when the effective level for it is `none`
(smtp_tls_note_starttls_offer); a host that the policy forbids altogether is not asked, and so not noted.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from audits.policy_table.looks import Look
from audits.postfix.resolve import Configuration, resolve
from audits.postfix.tls_levels import TlsLevel
from scanner.domain_name import printable


class Offer(msgspec.Struct, frozen=True):
    """A host with an unused offer, and the next-hops on the way to which it is met."""

    host: str
    next_hops: tuple[str, ...]

    @property
    def line(self) -> str:
        """As smtp(8) logs it."""
        return f"Host offered STARTTLS: [{printable(self.host)}]"


class Offers(msgspec.Struct, frozen=True):
    """The unused offers in the order in which they were met, and how many hosts were seen otherwise."""

    unused: tuple[Offer, ...]
    used: int
    without: int
    silent: int


def unused_offers(looks: Iterable[Look], config: Configuration) -> Offers:
    """What a delivery to each of these domains would note; each host is counted once a kind."""
    noted: dict[str, dict[str, None]] = {}
    used: set[str] = set()
    without: set[str] = set()
    silent: set[str] = set()
    level_of = lru_cache(maxsize=4096)(lambda next_hop, host: resolve(config, next_hop, host).level)
    for look in looks:
        for address in look.addresses:
            if not address.answered:
                silent.add(address.host)
            elif not address.offers:
                without.add(address.host)
            elif level_of(look.entry, address.host) is TlsLevel.NONE:
                noted.setdefault(address.host, {})[look.entry] = None
            else:
                used.add(address.host)
    unused = tuple(Offer(host, tuple(next_hops)) for host, next_hops in noted.items())
    return Offers(unused, len(used - set(noted)), len(without), len(silent - used - without - set(noted)))
