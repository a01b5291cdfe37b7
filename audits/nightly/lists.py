"""What is wrong with the lists of a nightly configuration, told before the night, or after one that they ended."""

from audits.nightly.config import Mistake, Night
from scanner.domain_name import printable
from scanner.facts import BadLine
from scanner.targets import targets_from_stream

NAMED = 20
"""Bad lines named; of more only the number."""


def list_mistakes(night: Night, name: str, line: int) -> tuple[Mistake, ...]:
    """The bad lines, unless they are to be left out, or that no list names a domain. What is no file is left to others.

    `name` and `line` are where the configuration names its lists.
    """
    files = [path for path in map(night.path, night.config.lists) if path.is_file()]
    named: list[Mistake] = []
    bad = good = 0
    for path in files:
        source = printable(str(path), 1000)
        try:
            with path.open("rb") as stream:
                for found in targets_from_stream(stream, source):
                    if not isinstance(found, BadLine):
                        good += 1
                        continue
                    bad += 1
                    if bad <= NAMED:
                        named.append(Mistake(source, found.number, f"{found.text}: {found.why}"))
        except OSError as error:
            return (*named, Mistake(name, line, f"lists: {source}: {error.strerror}"))
    if bad and night.config.scan.get("skip-bad") is not True:
        lines = "1 bad line" if bad == 1 else f"{bad} bad lines" + (f", {NAMED} of them named" if bad > NAMED else "")
        advice = "mend what is wrong, or leave it out with skip-bad = true under [scan]"
        return (*named, Mistake(name, line, f"lists: {lines}; nothing is scanned so: {advice}"))
    return (Mistake(name, line, "lists: they name no domain"),) if files and not good else ()
