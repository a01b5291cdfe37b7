"""Who operates a mail host: the names under which manners are shared (publicsuffixlist, from its packaged list)."""

from functools import cache, lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

from scanner.addresses import provider_network


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=50_000)
def registrable_domain(name: str) -> str:
    """The domain under which a host name was registered: "example.co.uk" for "mx1.example.co.uk"; else the name.

    An address literal is registered under nothing: 192.0.2.1 and 198.51.2.1 have no "2.1" in common.
    """
    try:
        return str(ip_address(name))
    except ValueError:
        return str(_suffixes().privatesuffix(name) or name)


def providers_of(mx_host: str, address: str) -> tuple[str, ...]:
    """The registrable domain of the host, and the network around its address where that is public."""
    network = provider_network(address)
    return (registrable_domain(mx_host), *((network,) if network else ()))
