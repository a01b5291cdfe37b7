"""Certificates compared over addresses and MX hosts."""

from collections.abc import Iterable

from audits.established.host_certificates import AddressesOfHost, HostKeys
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact

DIGEST_CHARS = 12


@rule("CERT-040", "All addresses of a host serve the same certificates")
def same_at_all_addresses(seen: AddressesOfHost, _: NoExpectations) -> Iterable[Item]:
    """Whether an MX host shows the same certificates at each of its addresses.

    Why it matters: where they differ mostly one was forgotten at the last renewal, often that behind IPv6; TLSA records
    then match at one address and not at the other.

    How to mend it: install the renewed certificate on all machines behind the name.
    """
    served = {address: frozenset(leaf.sha256 for leaf in leaves) for address, leaves in seen.leaves.items()}
    common = frozenset.intersection(*served.values())
    said = "; ".join(f"{at}: {', '.join(sorted(d[:DIGEST_CHARS] for d in digests))}" for at, digests in served.items())
    if not common:
        yield met(False, said)
    elif seen.unanswered:
        yield Item(Fact.INCONCLUSIVE, f"{said}; nothing seen at {', '.join(seen.unanswered)}")
    else:
        yield met(True, said)


@rule("CERT-041", "MX hosts have keys of their own")
def own_keys(seen: HostKeys, _: NoExpectations) -> Iterable[Item]:
    """Whether no two MX hosts of the domain share a private key. Names that lead to one machine may well.

    Why it matters: a key that lies on several machines is stolen from the weakest of them.

    How to mend it: make a key on each machine, with a certificate of its own.
    """
    holders: dict[str, list[str]] = {}
    for host, keys in seen.keys.items():
        for key in keys:
            holders.setdefault(key, []).append(host)
    shared = {key: hosts for key, hosts in holders.items() if len(hosts) > 1}
    if shared:
        said = "; ".join(f"{', '.join(hosts)} share {key[:DIGEST_CHARS]}" for key, hosts in shared.items())
        yield met(False, said)
    elif seen.unanswered:
        yield Item(Fact.INCONCLUSIVE, f"nothing seen of {', '.join(seen.unanswered)}")
    else:
        yield met(True, f"{len(holders)} keys on {len(seen.keys)} hosts")
