"""What is wrong with the lists of a configuration: each bad line by its file and line, but no flood of them."""

import pytest

from audits.nightly.config import Night, NightConfig
from audits.nightly.lists import NAMED, list_mistakes


@pytest.fixture
def told(tmp_path):
    def told(*texts: bytes, **scan: object) -> list[str]:
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.txt").write_bytes(text)
        night = Night(NightConfig(tuple(f"{number}.txt" for number in range(len(texts))), scan=scan), tmp_path, {})
        return [str(mistake).replace(f"{tmp_path}/", "") for mistake in list_mistakes(night, "n.toml", 7)]

    return told


def test_good_lists_have_no_mistake(told):
    assert told(b"a.example\nb.example MUST\n", b"# none yet\n") == []


def test_bad_lines_are_named_and_what_to_do(told):
    first, second, last = told(b"a.example\nexa mple\n", b"x@b.example\n")
    assert first.startswith("0.txt:2: exa mple: unknown level mple")
    assert second.startswith("1.txt:1: x@b.example: an e-mail address: write only its domain")
    assert last == (
        "n.toml:7: lists: 2 bad lines; nothing is scanned so: mend what is wrong, or leave it out with"
        " skip-bad = true under [scan]"
    )
    assert told(b"a.example\nexa mple\n", **{"skip-bad": True}) == []
    assert "lists: 1 bad line; " in told(b"a.example\nexa mple\n", **{"skip-bad": False})[-1]


def test_many_bad_lines_are_counted(told):
    found = told(b"a.example\n" + b"\x1b[2J\n" * 5000)
    assert len(found) == NAMED + 1
    assert f"5000 bad lines, {NAMED} of them named" in found[-1]
    assert "".join(found).isprintable()


def test_lists_without_a_domain_are_told(told):
    assert told(b"", b"# nobody\n") == ["n.toml:7: lists: they name no domain"]
    assert told(b"x@y.example\n", **{"skip-bad": True}) == ["n.toml:7: lists: they name no domain"]


def test_what_is_no_file_is_left_to_others(tmp_path):
    assert list_mistakes(Night(NightConfig(("none.txt", ".")), tmp_path, {}), "n.toml", 1) == ()
