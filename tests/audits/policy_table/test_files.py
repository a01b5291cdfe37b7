"""Files of tables: replaced at once or not at all, and never another kind of file."""

import os

import pytest

from audits.policy_table.files import difference, present_text, replace_file, standing
from audits.postfix.errors import ConfigError


def test_a_new_file_and_its_replacement_keep_the_mode(tmp_path):
    path = tmp_path / "table"
    replace_file(path, "a may\n")
    assert present_text(path) == "a may\n"
    path.chmod(0o640)
    replace_file(path, "b may\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("b may\n", 0o640)
    assert [each.name for each in tmp_path.iterdir()] == ["table"]


def test_the_umask_counts_for_a_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "table", "a may\n")
    finally:
        os.umask(before)
    assert (tmp_path / "table").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old\n")
    (tmp_path / "table").symlink_to(tmp_path / "real")
    replace_file(tmp_path / "table", "new\n")
    assert (tmp_path / "table").is_symlink()
    assert (tmp_path / "real").read_text() == "new\n"


def test_a_failure_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "table").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "table", "new\n")
    assert [each.name for each in tmp_path.iterdir()] == ["table"]


def test_what_is_there(tmp_path):
    assert present_text(tmp_path / "table") is None
    with pytest.raises(ConfigError, match="no regular file"):
        present_text(tmp_path)
    with pytest.raises(ConfigError, match="its folder does not exist"):
        present_text(tmp_path / "no" / "table")
    with pytest.raises(ConfigError, match="cannot be read"):
        present_text(tmp_path / ("x" * 300))
    (tmp_path / "binary").write_bytes(b"a\0b")
    with pytest.raises(ConfigError, match="NUL byte"):
        present_text(tmp_path / "binary")


def test_the_difference_is_unified_and_obeyed_by_no_terminal(tmp_path):
    lines = list(difference("a may\nb \x1b[2Jmay\n", "a may\nb encrypt\n", tmp_path / "table"))
    assert lines[:2] == [f"--- {tmp_path}/table (now)", f"+++ {tmp_path}/table (new)"]
    assert lines[3:] == [" a may", "-b \\x1b[2Jmay", "+b encrypt"]
    assert list(difference("a\n", "a\n", tmp_path / "table")) == []


def test_what_vanishes_is_counted_by_keys_as_postfix_reads_them():
    def keys(before, after):
        held, gone = standing(before, after)
        return [(each.key, each.value) for each in gone], len(held)

    before = "# no line: may\nA.test may\nb.test\n  encrypt\na.test none\nc.test verify\n"
    assert keys(before, "B.TEST may\n# c.test verify\n") == ([("A.test", "may"), ("c.test", "verify")], 3)
    assert keys("", "a.test may\n") == ([], 0)
    assert keys(before, before) == ([], 3)
