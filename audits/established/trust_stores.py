"""Trust by the stores that devices bring along: the PEM bundles that sslyze ships, read offline from its package."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Self

import msgspec

from audits.dane import chain_of
from audits.established.certificates import without_chain
from audits.established.views import EndpointView, Inapplicable, Missing
from audits.trust import ChainVerdict, TrustStore, TrustStoreError, load_trust_store, verify_chain
from scanner.tls_facts import CertificateFacts

BUNDLES = {
    "android": "google_aosp",
    "apple": "apple",
    "java": "oracle_java",
    "mozilla": "mozilla_nss",
    "openjdk": "openjdk",
    "windows": "microsoft_windows",
}
"""Our name of a store -> the name of its file."""
_FOLDER = "sslyze/plugins/certificate_info/trust_stores/pem_files"
DIGEST_CHARS = 12
"""Characters of a store's digest that evidence shows, enough to tell two editions apart."""


REMEMBERED = 5_000
"""Chains whose verdicts are kept: many domains share the hosts of one provider."""

_Seen = tuple[tuple[str, ...], datetime]


class Stores(msgspec.Struct, frozen=True):
    """The stores that were found, and the edition of the package that brought them."""

    edition: str
    stores: dict[str, TrustStore]
    known: dict[_Seen, dict[str, ChainVerdict]] = {}

    def verdicts(self, chain: Sequence[CertificateFacts], at: datetime) -> dict[str, ChainVerdict]:
        """What each store says of a chain at this moment."""
        key = (tuple(certificate.sha256 for certificate in chain), at)
        if key not in self.known:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[key] = {name: verify_chain(store, chain, at) for name, store in self.stores.items()}
        return self.known[key]


class TrustByStores(msgspec.Struct, frozen=True):
    """Store -> what it says of the deciding chain at the moment it was seen; `editions`: store -> its digest."""

    verdicts: dict[str, ChainVerdict]
    editions: dict[str, str]

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        if trouble := without_chain(view):
            return trouble
        found = stores()
        if isinstance(found, Missing):
            return found
        assert view.facts is not None
        chain = chain_of(view.verdict.handshake, view.facts) or []
        return cls(
            found.verdicts(chain, view.facts.seen_at),
            {name: f"{found.edition}, {store.digest[:DIGEST_CHARS]}" for name, store in found.stores.items()},
        )


@cache
def stores(name: str = "sslyze") -> Stores | Missing:
    """The stores of the installed package; Missing where it is not installed or brings no bundles."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return Missing(
            f'trust stores come with {name}, which is not installed: pip install "tlsaudit[vulnerabilities]"'
        )
    return stores_of(package, Path(str(package.locate_file(_FOLDER))))


def stores_of(package: Distribution, folder: Path) -> Stores | Missing:
    """The bundles in a folder of a package."""
    found = {}
    for name, file in BUNDLES.items():
        try:
            found[name] = load_trust_store([folder / f"{file}.pem"], system=False)
        except TrustStoreError as error:
            return Missing(f"sslyze {package.version} brings no usable store {name}: {error}")
    return Stores(f"sslyze {package.version}", found)
