"""Which addresses may be contacted: only those that the whole internet can reach (IANA special-purpose registries).

A stranger's MX record must not steer the scanner into the local network. `ipaddress.is_global` alone lets through
multicast, site-local addresses, and IPv6 forms that carry a private IPv4 address inside; and what it says of the
protocol assignments changes between versions of Python, so those stand here.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052. The local-use prefix of RFC 8215 is not public, whatever it carries."""
_V4_COMPATIBLE = IPv6Network("::/96")
"""RFC 4291 section 2.5.5.1, deprecated."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA gives out as global unicast (RFC 4291 section 2.4); outside it lie private and special forms."""
_ASSIGNMENTS = (IPv4Network("192.0.0.0/24"), IPv6Network("2001::/23"))
"""IETF protocol assignments (RFC 6890, RFC 2928): some are global, but anycast to a nearby router: PCP, TURN."""
_DOCUMENTATION = IPv6Network("3fff::/20")
"""RFC 9637, which `ipaddress` learned late."""


def is_public(address: str) -> bool:
    """Whether the address, and every IPv4 address that it carries inside, is globally reachable unicast."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        if (inner := _inner_ipv4(parsed)) is not None:
            return is_public(str(inner))
        if parsed not in _GLOBAL_UNICAST or parsed in _DOCUMENTATION:
            return False
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in _ASSIGNMENTS)


def _inner_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address of a NAT64, v4-compatible, v4-mapped, 6to4 or Teredo address: the host that it stands for."""
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _with_inner(address: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """The IPv4 address inside, if there is one, then the address itself."""
    parsed = ip_address(address)
    inner = _inner_ipv4(parsed) if isinstance(parsed, IPv6Address) else None
    return (inner, parsed) if inner else (parsed,)


@lru_cache(maxsize=500)
def contacted_address(address: str) -> str:
    """The address in its usual form, a v4-mapped one as the IPv4 address that the kernel connects to.

    So one host has one turn and one set of facts, in whichever form its address was published.
    """
    parsed = ip_address(address)
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)


def provider_network(address: str) -> str:
    """The network that is taken for one operator: the /24 or /48 around a public address, else "".

    NAT64 and its like count as the IPv4 host behind them: else, behind DNS64, all hosts would be one operator's.
    """
    if not is_public(address):
        return ""
    host = _with_inner(address)[0]
    return str(ip_network(f"{host}/{48 if host.version == 6 else 24}", strict=False))


class Exclusions:
    """The names and networks that are never contacted (--exclude). A name covers the names below it."""

    def __init__(self, names: tuple[str, ...], networks: tuple[str, ...]) -> None:
        self._names = frozenset(names)
        self._networks = tuple(ip_network(network) for network in networks)

    def covers_name(self, name: str) -> bool:
        labels = name.split(".")
        return any(".".join(labels[i:]) in self._names for i in range(len(labels)))

    def covers_address(self, address: str) -> bool:
        """Whether the address, or the IPv4 address inside it, lies in one of the networks."""
        hosts = _with_inner(address)
        return any(h.version == network.version and h in network for h in hosts for network in self._networks)
