"""Which version a server takes when it has the choice, and what it does against attackers that talk it down."""

from typing import Self

import msgspec

from audits.established.tls_asked import asked_tls
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire_facts import TlsFacts

_OURS = {"TLSv1": "TLSv1.0"}
_HIGHEST_FIRST = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")


class DowngradeProtection(msgspec.Struct, frozen=True, kw_only=True):
    """`offered`: the versions that are spoken, highest first; `open`: those of which nobody knows.

    `taken` is the version of the handshake with an ordinary client, who offers all; "" where it never came to its end.
    `sentinel`: RFC 8446 section 4.1.3; `fallback_scsv`: RFC 7507.
    """

    offered: tuple[str, ...]
    open: tuple[str, ...]
    taken: str = ""
    sentinel: Fact = Fact.NOT_TESTED
    fallback_scsv: Fact = Fact.NOT_TESTED

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        assert view.facts is not None
        known = {version.version: version.offered for version in tls.versions}
        shakes = (session.handshake.version for session in view.facts.sessions if session.handshake)
        taken = next(shakes, "")
        return cls(
            offered=tuple(name for name in _HIGHEST_FIRST if known.get(name) is Fact.YES),
            open=tuple(name for name in _HIGHEST_FIRST if known.get(name) not in (Fact.YES, Fact.NO)),
            taken=_OURS.get(taken, taken),
            sentinel=tls.downgrade_sentinel,
            fallback_scsv=tls.fallback_scsv,
        )
