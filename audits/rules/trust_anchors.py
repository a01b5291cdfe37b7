"""Whether a chain leads to an anchor that senders and mail programs trust."""

from collections.abc import Iterable

import msgspec

from audits.established.certificates import ServedLeaf
from audits.established.trust_stores import TrustByStores
from audits.rules.question import Item, NoExpectations, met, rule
from audits.trust import ChainVerdict
from scanner.answers import Fact


class Stores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of stores (mozilla, apple, android, java, openjdk, windows)."""

    stores: tuple[str, ...]


@rule("TRUST-001", "The chain is trusted", result_type="certificate-not-trusted")
def trusted(seen: ServedLeaf, _: NoExpectations) -> Iterable[Item]:
    """Whether the chain verifies with the trust store of this judgement, as Postfix does it at MUST.

    The store is the system's, or that of --cafile and --capath: a sender's view, not the world's.

    Why it matters: senders that verify certificates deliver to nobody else.

    How to mend it: present a valid certificate of a public authority with its intermediates (CERT-031).
    """
    yield met(seen.trust.trusted, _said(seen.trust))


@rule("TRUST-002", "The chain is trusted by the stores of many devices", result_type="certificate-not-trusted")
def trusted_by_stores(seen: TrustByStores, wants: Stores) -> Iterable[Item]:
    """Whether the chain verifies with the root stores of browsers, phones, Java and Windows.

    The stores are those that the installed sslyze ships; the evidence names its version and the digest of each store,
    because another edition may judge otherwise.

    Why it matters: mail programs and cloud senders bring along stores of their own; a root that one of them has dropped
    locks its users out.

    How to mend it: have the certificate issued below a root that all have, or send the cross-signed intermediate.
    """
    for store in wants.stores:
        verdict = seen.verdicts.get(store)
        if verdict is None:
            yield Item(Fact.NOT_TESTED, f"{store}: no such store; there are {', '.join(seen.verdicts)}")
        else:
            yield met(verdict.trusted, f"{store} ({seen.editions.get(store, '')}): {_said(verdict)}")


def _said(verdict: ChainVerdict) -> str:
    return "trusted" if verdict.trusted else f"{verdict.result}: {verdict.reason}"
