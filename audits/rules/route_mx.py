"""How the mail of a domain is led to its hosts (RFC 5321 section 5.1, RFC 7505)."""

from collections.abc import Iterable

import msgspec

from audits.established.mail_route import MxHosts, NullMx, Reached
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact


class Preference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The preference that a null MX record has."""

    preference: int


class HostCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many MX hosts with an address there are at least."""

    at_least: int


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sign that the addresses of a family have and no others: ":" for IPv6, "." for IPv4."""

    sign: str


@rule("ROUTE-001", "A null MX stands alone")
def null_mx_alone(seen: NullMx, _: NoExpectations) -> Iterable[Item]:
    """Whether a domain that says "no mail" by a null MX names no other MX host.

    Why it matters: a null MX beside another record is no statement at all: Postfix returns the mail at once, other
    senders try the other host.

    How to mend it: publish either "MX 0 ." alone, or hosts and no null MX.
    """
    others = [record.exchange for record in seen.records if record.exchange]
    yield met(not others, "beside it: " + ", ".join(others) if others else "no other MX record")


@rule("ROUTE-002", "A null MX has the preference of the standard")
def null_mx_preference(seen: NullMx, wants: Preference) -> Iterable[Item]:
    """Whether the null MX record has the form that the standard gives it.

    Why it matters: programs that compare the record literally take another preference for a broken host name.

    How to mend it: publish "MX 0 ." .
    """
    for record in seen.records:
        if not record.exchange:
            yield met(record.preference == wants.preference, f"MX {record.preference} .")


@rule("ROUTE-003", "MX hosts are no aliases")
def mx_alias(seen: MxHosts, _: NoExpectations) -> Iterable[Item]:
    """Whether every name in an MX record has addresses of its own instead of a CNAME record.

    Why it matters: some senders refuse such a host, and DANE looks for TLSA records below another name than the
    postmaster expects.

    How to mend it: name the host behind the alias in the MX record, or give the name A and AAAA records.
    """
    for host in () if seen.implicit else seen.hosts:
        if host.failure is not None and not host.addresses:
            yield Item(Fact.INCONCLUSIVE, f"{host.name}: {host.failure}")
        else:
            words = f"{host.name} is an alias of {host.aliases[-1]}" if host.aliases else f"{host.name}: no alias"
            yield met(not host.aliases, words)


@rule("ROUTE-004", "Every MX host has an address")
def mx_without_address(seen: MxHosts, _: NoExpectations) -> Iterable[Item]:
    """Whether every name in an MX record has an address.

    Why it matters: senders lose time with a host that does not exist, and mail is lost when the others fail.

    How to mend it: publish A and AAAA records for the host, or take it out of the MX records.
    """
    for host in seen.hosts:
        open_ = host.failure is not None and not host.addresses
        words = ", ".join(host.addresses) or (str(host.failure) if open_ else "no address")
        yield Item(Fact.INCONCLUSIVE if open_ else Fact.NO if host.missing else Fact.YES, f"{host.name}: {words}")


@rule("ROUTE-005", "Mail can be brought over the wanted address family")
def mx_family(seen: MxHosts, wants: Family) -> Iterable[Item]:
    """Whether at least one MX host has an address of this family.

    Why it matters: a sender that has only IPv6 cannot deliver to hosts that have only IPv4, and the other way round.

    How to mend it: give the MX host an AAAA record, and Postfix inet_protocols = all.
    """
    having = [host.name for host in seen.hosts if any(wants.sign in address for address in host.addresses)]
    unsettled = [host.name for host in seen.hosts if host.failure is not None]
    if having:
        yield met(True, ", ".join(having))
    elif unsettled:
        yield Item(Fact.INCONCLUSIVE, "not all addresses could be looked up: " + ", ".join(unsettled))
    else:
        yield met(False, "no address of this family: " + ", ".join(host.name for host in seen.hosts))


@rule("ROUTE-006", "There is more than one MX host")
def mx_count(seen: MxHosts, wants: HostCount) -> Iterable[Item]:
    """Whether mail has somewhere to go when one host is down.

    Why it matters: senders keep mail for some days, so one host is no loss of mail; but a certificate or TLS that
    breaks there stops all mail of the senders that demand it.

    How to mend it: name a second host with the same TLS, never one with less.
    """
    named = list(dict.fromkeys(host.name for host in seen.hosts if host.addresses))
    unsettled = [host.name for host in seen.hosts if host.failure is not None and not host.addresses]
    fact = Fact.YES if len(named) >= wants.at_least else Fact.INCONCLUSIVE if unsettled else Fact.NO
    yield Item(fact, ", ".join([*named, *(f"{name} (not looked up)" for name in unsettled)]) or "none")


@rule("ROUTE-007", "Every address of an MX host answers")
def mx_reached(seen: Reached, _: NoExpectations) -> Iterable[Item]:
    """Whether a mail server listens at each address that the MX records lead to.

    Why it matters: senders try it, wait, and go on; a host that is never there hides that there is no second one. Only
    a refused connection is a "no": silence may be the network's.

    How to mend it: start the server there, or take the host or the address out of the DNS.
    """
    yield Item(seen.answers, seen.evidence)


@rule("ROUTE-008", "MX records name hosts, not addresses")
def mx_literal(seen: MxHosts, _: NoExpectations) -> Iterable[Item]:
    """Whether every MX record names a host.

    Why it matters: an address in its place is no host name: many senders cannot deliver, and no certificate and no
    TLSA record can be found for it.

    How to mend it: give the address a name, and put the name into the MX record.
    """
    for host in seen.hosts:
        yield met(host.name not in seen.literals, host.name)
