"""Compares what was said of a throttled server with the truth about its twin that does not throttle.

Silence is allowed, a false statement is not: each yes and no must be that of the twin, what was seen must exist, and
what is called complete must be so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

OPEN = {"inconclusive", "not-tested", "unknown"}
COUNTED = {"connections", "failures"}
"""Differ by nature: how often was asked, and what went wrong."""
BY_NAME = {"versions": "version", "classes": "name", "chains": "authentication", "resumption": "way"}
"""Lists of parts, and what a part is called by."""
COMPLETED_BY = {"suites": "complete", "groups": "groups_complete"}
SEEN = {"suites", "groups", "schemes", "broken", "ssl2_ciphers"}
"""Lists of what was seen: an incomplete one is a part of the truth."""
WITH_COMPLETENESS = {"complete", "groups_complete", "unsettled", "evidence"}


def false_statements(found: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    """All that a report on an endpoint says and that is not so of its twin."""
    wrong = [f"starttls {found['starttls']}"] if found["starttls"] not in {truth["starttls"], *OPEN} else []
    sustained, unknown = set(found["sustained"]), set(found["unknown"])
    answered = found["state"] == "ok" or sustained | unknown
    if answered and not sustained <= set(truth["sustained"]) <= sustained | unknown:
        wrong.append(f"sustained {found['sustained']} unknown {found['unknown']}, not {truth['sustained']}")
    for version, fact in found["protocols"].items():
        if fact not in {truth["protocols"].get(version), *OPEN}:
            wrong.append(f"{version} {fact}")
    for version, suites in found["suites"].items():
        known = set(truth["suites"].get(version, ()))
        if not set(suites) <= known or (found["suites_complete"][version] and set(suites) != known):
            wrong.append(f"{version}: {sorted(set(suites) - known)}, complete: {found['suites_complete'][version]}")
    parts = [part for part in ("tls", "deep", "smtp") if found[part]]
    return wrong + [each for part in parts for each in _false_parts(found[part], truth[part], part)]


def _false_parts(found: Mapping[str, Any], truth: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, said in found.items():
        if key in COUNTED or key in WITH_COMPLETENESS:
            continue
        here, known = f"{path}.{key}", truth[key]
        if key in BY_NAME:
            named = {part[BY_NAME[key]]: part for part in known}
            for part in said:
                name = part[BY_NAME[key]]
                yield from _false_parts(part, named.get(name, {}), f"{here}.{name}") if name in named else [here]
        elif key in SEEN:
            yield from _false_list(key, found, truth, here)
        elif key == "dh":
            yield from (f"{here}: {each}" for each in said if each["prime_sha256"] not in _primes(known))
        elif key == "chain":
            yield from [] if said[1:] == known[1:] else [f"{here}: {said}"]  # each has a leaf of its own
        elif said not in (known, None, [], *OPEN):
            yield f"{here}: {said}, not {known}"


def _false_list(key: str, found: Mapping[str, Any], truth: Mapping[str, Any], path: str) -> Iterator[str]:
    """Of a plan that was stopped nothing is complete; then the truth's list must contain what was seen."""
    if not set(found[key]) <= set(truth[key]):
        yield f"{path}: {sorted(set(found[key]) - set(truth[key]))} are not there"
    complete = COMPLETED_BY.get(key)
    if complete and found[complete] and set(found[key]) != set(truth[key]):
        yield f"{path}: {sorted(set(truth[key]) - set(found[key]))} missing from what is called complete"


def _primes(groups: list[dict[str, Any]]) -> set[str]:
    return {each["prime_sha256"] for each in groups}


def open_answers(found: Mapping[str, Any], truth: Mapping[str, Any], path: str = "tls") -> Iterator[str]:
    """The yes and no of the truth that are open in what was found, for a scan with patience: there must be none."""
    for key, known in truth.items():
        here = f"{path}.{key}"
        if key in BY_NAME:
            named = {part[BY_NAME[key]]: part for part in found[key]}
            for part in known:
                yield from open_answers(named.get(part[BY_NAME[key]], {}), part, f"{here}.{part[BY_NAME[key]]}")
        elif (known in ("yes", "no") or known is True) and found.get(key) != known:
            yield f"{here}: {found.get(key)}, not {known}"
