"""Certificates compared over the addresses of one MX host, and over the MX hosts of one domain."""

from collections.abc import Iterator
from typing import Self

import msgspec

from audits.established.certificates import ServedChains
from audits.established.mail_route import without_mail
from audits.established.views import DomainView, Inapplicable, Missing
from scanner.facts import EndpointUse
from scanner.tls_facts import CertificateFacts


class AddressesOfHost(msgspec.Struct, frozen=True):
    """Address -> the leaves that one MX host serves there; `unanswered` addresses, where nothing was seen."""

    leaves: dict[str, tuple[CertificateFacts, ...]]
    unanswered: tuple[str, ...] = ()

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        if trouble := without_mail(view):
            yield view.subject, trouble
            return
        for host, at in _seen(view).items():
            leaves = {address: each for address, each in at.items() if each}
            silent = tuple(address for address, each in at.items() if not each)
            if len(at) < 2:
                yield host, Inapplicable("one address")
            elif not leaves:
                yield host, Missing("no certificate was seen at any address")
            else:
                yield host, cls(leaves, silent)


class HostKeys(msgspec.Struct, frozen=True):
    """MX host -> digests of the keys (SubjectPublicKeyInfo) of its leaves; `unanswered` hosts."""

    keys: dict[str, frozenset[str]]
    unanswered: tuple[str, ...] = ()

    @classmethod
    def of_domain(cls, view: DomainView) -> Iterator[tuple[str, Self | Missing | Inapplicable]]:
        if trouble := without_mail(view):
            yield view.subject, trouble
            return
        by_host = {
            host: frozenset(leaf.key.spki_sha256 for leaves in at.values() for leaf in leaves if leaf.key)
            for host, at in _seen(view).items()
        }
        if len(by_host) < 2:
            yield view.subject, Inapplicable("one MX host")
            return
        silent = tuple(host for host, keys in by_host.items() if not keys)
        known = {host: keys for host, keys in by_host.items() if keys}
        yield view.subject, cls(known, silent) if known else Missing("no certificate was seen at any MX host")


def _seen(view: DomainView) -> dict[str, dict[str, tuple[CertificateFacts, ...]]]:
    """MX host -> address -> leaves, none where no certificate was seen."""
    seen: dict[str, dict[str, tuple[CertificateFacts, ...]]] = {}
    for endpoint in view.endpoint_views():
        ref = endpoint.verdict.ref
        if ref.use is EndpointUse.MAIL:
            served = ServedChains.of_endpoint(endpoint)
            leaves = tuple(chain.leaf for chain in served.chains) if isinstance(served, ServedChains) else ()
            seen.setdefault(ref.mx_host, {})[ref.endpoint.address] = leaves
    return seen
