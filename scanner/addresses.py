"""Which addresses may be contacted: only those that the whole internet can reach.

A stranger's MX record must not steer the scanner into the local network. `ipaddress.is_global` alone lets through
multicast, site-local addresses, and IPv6 forms that carry a private IPv4 address inside.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""RFC 6052 and RFC 8215."""
_V4_COMPATIBLE = IPv6Network("::/96")
"""RFC 4291 section 2.5.5.1, deprecated."""


def is_public(address: str) -> bool:
    """Whether the address, and every IPv4 address that it carries inside, is globally reachable unicast."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        inner = _inner_ipv4(parsed)
        if inner is not None:
            return is_public(str(inner))
        if parsed.is_site_local or parsed.scope_id is not None or parsed in _NAT64[1]:
            return False
    return parsed.is_global and not parsed.is_multicast


def _inner_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64[0] or (address in _V4_COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def provider_network(address: str) -> str:
    """The network that is taken for one operator: the /24 or /48 around a public address, else ""."""
    if not is_public(address):
        return ""
    prefix = 48 if ":" in address else 24
    return str(ip_network(f"{address}/{prefix}", strict=False))


class Exclusions:
    """The names and networks that are never contacted (--exclude). A name covers the names below it."""

    def __init__(self, names: tuple[str, ...], networks: tuple[str, ...]) -> None:
        self._names = frozenset(names)
        self._networks = tuple(ip_network(network) for network in networks)

    def covers_name(self, name: str) -> bool:
        labels = name.split(".")
        return any(".".join(labels[i:]) in self._names for i in range(len(labels)))

    def covers_address(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed.version == network.version and parsed in network for network in self._networks)
