"""Which chains a rule about certificates looks at: what its expectations say, and the certificates in question."""

from collections.abc import Iterator

import msgspec

from audits.established.certificates import ServedChains, described
from audits.rules.question import Item
from scanner.answers import Fact
from scanner.tls_facts import CertificateFacts


class OfChains(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`trusted_only`: a standard for public authorities leaves chains alone that lead to none of the trust store."""

    trusted_only: bool = False


def leaves(seen: ServedChains, wants: OfChains) -> Iterator[CertificateFacts]:
    """The leaf of each chain, each once."""
    chains = (chain for chain in seen.chains if chain.anchored or not wants.trusted_only)
    yield from {chain.leaf.sha256: chain.leaf for chain in chains}.values()


def issuers(seen: ServedChains, wants: OfChains) -> Iterator[CertificateFacts]:
    """The certificates between the leaves and the roots, each once."""
    chains = [chain for chain in seen.chains if chain.anchored or not wants.trusted_only]
    yield from {issuer.sha256: issuer for chain in chains for issuer in chain.issuers}.values()


def words(certificate: CertificateFacts, said: str) -> str:
    """Evidence: the certificate, and what was seen of it."""
    return f"{described(certificate)}: {said}"


def unread(certificate: CertificateFacts, field: str) -> bool:
    """Whether a field is empty because it could not be read; `problem` names each such field, or a whole that holds it.

    What stands there is then neither a yes nor a no.
    """
    problems = certificate.problem.split("; ")
    return any(problem.partition(": ")[0] in (field, "extensions", "certificate") for problem in problems)


def unreadable(certificate: CertificateFacts, field: str) -> Item:
    """What a rule says of such a field."""
    return Item(Fact.INCONCLUSIVE, words(certificate, f"its {field} cannot be read ({certificate.problem})"))
