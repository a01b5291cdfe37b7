"""Whose order of cipher suites counts, and whether good ones come before bad ones."""

from collections.abc import Iterable, Iterator

import msgspec

from audits.established.tls_order import SuiteOrder, VersionOrder
from audits.rules.question import Item, met, rule
from audits.rules.suite_patterns import among
from scanner.answers import Fact
from scanner.wire_facts import Preference


class GoodBeforeBad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`first`: suites (or patterns) that must all come before those of `later`."""

    first: tuple[str, ...]
    later: tuple[str, ...]


class WantedPreference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose order is wanted: "server" or "client"."""

    wanted: Preference


@rule("CIPHER-006", "Good suites come before bad ones")
def good_before_bad(seen: SuiteOrder, wants: GoodBeforeBad) -> Iterable[Item]:
    """Whether the server takes its good suites first, whatever the client would rather have.

    Why it matters: a weak suite that is kept for old peers does no harm to the others as long as the server puts it
    last. Where only good suites are accepted, or none at all, the order does not matter.

    How to mend it: tls_preempt_cipherlist = yes, and leave tls_medium_cipherlist alone: it is sorted by strength.
    """
    for version in seen.versions:
        yield from _of_version(version, wants)


def _of_version(version: VersionOrder, wants: GoodBeforeBad) -> Iterator[Item]:
    good, bad = among(version.suites, wants.first), among(version.suites, wants.later)
    open_good, open_bad = among(version.unsettled, wants.first), among(version.unsettled, wants.later)
    early = [name for name in bad if good and version.suites.index(name) < version.suites.index(good[-1])]
    if not bad and not open_bad:
        yield met(True, f"{version.version}: only good suites are accepted")
    elif bad and not good and not open_good:
        return
    elif bad and good and version.preference is Preference.CLIENT:
        yield met(False, f"{version.version}: the client's order decides, and {bad[0]} is accepted")
    elif early and version.preference is Preference.SERVER:
        yield met(False, f"{version.version}: {early[0]} before {good[-1]}")
    elif open_good or open_bad:
        yield Item(Fact.INCONCLUSIVE, f"{version.version}: {(*open_bad, *open_good)[0]} neither accepted nor refused")
    elif version.preference is not Preference.SERVER:
        yield Item(Fact.INCONCLUSIVE, f"{version.version}: whose order decides is not known ({version.preference})")
    else:
        yield met(True, f"{version.version}: {bad[0]} after {good[-1]}")


@rule("CIPHER-007", "The wanted side orders the suites")
def wanted_preference(seen: SuiteOrder, wants: WantedPreference) -> Iterable[Item]:
    """Whether the server's own order of suites decides, or the client's, as the standard wants it.

    Why it matters: with its own order a server decides for all its peers; where all its suites are good a client knows
    better which of them its hardware is fast at.

    How to mend it: tls_preempt_cipherlist = yes for the server's order, = no for the client's.
    """
    for version in seen.versions:
        if len(version.suites) < 2 and not version.unsettled:
            continue
        settled = version.preference in (Preference.SERVER, Preference.CLIENT)
        words = f"{version.version}: {version.preference}"
        yield met(version.preference is wants.wanted, words) if settled else Item(Fact.INCONCLUSIVE, words)
