"""Which classes of suites does a server accept at all? Found with few connections, the worst classes first.

The exact set of suites costs a connection a suite; a class is settled by one suite of it, and one refusal settles
all classes that it speaks of. Suites that belong to two or more open classes are offered first, so that one answer
settles several; TLS 1.3 has too few suites for that to pay.
"""

from scanner.wire.asking import Asker, Steps, Verdict
from scanner.wire.code_points import TLS13
from scanner.wire.questions import hello_for
from scanner.wire.weakness import SEARCH_CLASSES, classes_of


def search_classes(asker: Asker, version: int) -> Steps:
    """Settle every class in one version that the server takes up; classes seen in any version count as found."""
    ledger = asker.ledger
    many = 1 if version == TLS13 else 2
    while offer := _offer(asker, version, many):
        groups = (tuple(ledger.groups.get(TLS13, ())) or None) if version == TLS13 else None
        refused = False
        for portion in ledger.portions(offer):
            reply = yield from asker.ask_suites(hello_for(version, portion, groups))
            if reply.verdict is Verdict.OPEN:
                return
            refused = reply.verdict is Verdict.REFUSED
            if not refused:
                break
        many = 1 if refused else many


def _offer(asker: Asker, version: int, many: int) -> tuple[int, ...]:
    """The open suites that would settle at least `many` classes; if there are none, at least one."""
    wanted = open_classes(asker)
    suites = [(len(wanted & classes_of(code)), code) for code in asker.ledger.open_suites(version)]
    least = many if any(count >= many for count, _ in suites) else 1
    return tuple(code for count, code in suites if count >= least)


def open_classes(asker: Asker) -> frozenset[str]:
    """The classes of which no suite was accepted yet, in any version."""
    found = {name for suites in asker.ledger.accepted.values() for code in suites for name in classes_of(code)}
    return frozenset(entry.name for entry in SEARCH_CLASSES) - found
