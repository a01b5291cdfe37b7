"""In which order a server takes suites, and whether the order is its own."""

from typing import Self

import msgspec

from audits.established.tls_asked import asked_tls, open_suites
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.wire_facts import Preference, TlsFacts


class VersionOrder(msgspec.Struct, frozen=True):
    """One version: `suites` in the order in which the server took them, `unsettled` those of which nobody knows."""

    version: str
    preference: Preference
    suites: tuple[str, ...]
    unsettled: tuple[str, ...] = ()


class SuiteOrder(msgspec.Struct, frozen=True):
    """The order of each version that is spoken, or may be."""

    versions: tuple[VersionOrder, ...]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        spoken = tuple(
            VersionOrder(one.version, one.preference, one.suites, open_suites(one))
            for one in tls.versions
            if one.suites or open_suites(one)
        )
        return cls(spoken) if any(one.suites for one in spoken) else Missing("no suite was taken up: there is no order")
