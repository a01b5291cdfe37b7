"""Whatever postmap warns about in a table, the linter names, on the same line."""

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.postfix.lint import Kind, lint_table

from ..oracle import config_folder, queried, written

LINE = re.compile(r", line (\d+)(?:-\d+)?:")
DUPLICATE = re.compile(r'duplicate entry: "(.*)"')


def complaints(folder: Path, type: str, text: str) -> tuple[set[int], bool]:
    """The lines that postmap warns about when it builds or reads the table; and whether it found duplicates."""
    name, log = written(config_folder(folder), type, text)
    log += queried(folder, name, ["a"])[1]
    return {int(number) for number in LINE.findall(log)}, bool(DUPLICATE.search(log))


KEYS = st.sampled_from(["a", "A", "b", "[a]:25", 'q"', '"q q"', "c:", " ", "\t", "#", "ä", "\udcff", "d\\", ""])
VALUES = st.sampled_from(["MUST", "may", "", " ", "MUST # x", "none\udcff", "a b", '"'])
TEXT_LINES = st.lists(st.tuples(KEYS, st.sampled_from(["", " ", "\t"]), VALUES).map("".join), max_size=6)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type=st.sampled_from(["hash", "texthash"]),
    kind=st.sampled_from([Kind.PER_SITE, Kind.POLICY_MAPS]),
    lines=TEXT_LINES,
)
def test_text_tables(tmp_path: Path, type: str, kind: Kind, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    lines_of_postmap, duplicates = complaints(tmp_path, type, text)
    messages = lint_table(text, "table", kind, type=type)
    assert lines_of_postmap <= {message.line for message in messages if message.id.startswith("table-")}
    assert duplicates <= any(message.id == "table-duplicate" for message in messages)


PATTERN_LINES = st.lists(
    st.sampled_from(
        [
            "/a/ MUST", "/a MUST", "/a/", "/(/ x", "/a/z x", "!/a/ x", "!/(a)/ $1", "/(a)/ $1", "/(a)/ $2", "if /a/",
            "if /a/ x", "  /b/ y", "endif", "endif x", "ENDIF", "if !/b/", "iffy", "a MUST", "/a{2,1}/ x",
            "/[[:x:]]/ y", "#c", "", "/a/ $$", "/a/ $", "! x",
        ]
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(type=st.sampled_from(["regexp", "pcre"]), lines=PATTERN_LINES)
def test_pattern_tables(tmp_path: Path, type: str, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    lines_of_postmap, _ = complaints(tmp_path, type, text)
    messages = lint_table(text, "table", Kind.PER_SITE, type=type)
    assert lines_of_postmap <= {message.line for message in messages if message.id.startswith("table-")}


def test_a_first_line_with_white_space(tmp_path: Path) -> None:
    name, log = written(config_folder(tmp_path), "hash", " a MUST\nb MUST\n")
    assert "must not start with whitespace" in log
    assert queried(tmp_path, name, ["a", "b"])[0] == {"b": "MUST"}
    assert [message.id for message in lint_table(" a MUST\nb MUST\n", "table", Kind.PER_SITE)] == ["table-orphan"]
