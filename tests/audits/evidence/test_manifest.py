"""The manifest: every file, in the form of sha256sum, and no path that leads out of the pack."""

import os
from pathlib import Path

import pytest

from audits.evidence.manifest import MANIFEST, EvidenceError, check, sign


def test_what_was_signed_is_accepted(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    sign(tmp_path)
    check(tmp_path)
    assert [line.split("  ")[1] for line in (tmp_path / MANIFEST).read_text().splitlines()] == ["a", "sub/b"]


@pytest.mark.parametrize(
    "line", ["x", f"{'a' * 64}  ../out", f"{'a' * 64}  /etc/passwd", f"{'A' * 64}  a", f"{'a' * 64} a"]
)
def test_a_line_that_is_no_sum_of_a_file_inside_is_refused(tmp_path, line):
    (tmp_path / MANIFEST).write_text(line + "\n")
    with pytest.raises(EvidenceError, match=rf"{MANIFEST}:1: no line of sha256sum"):
        check(tmp_path)


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_bytes(b"\xff")
    with pytest.raises(EvidenceError, match="cannot be read"):
        check(tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, lambda place: place.symlink_to("/dev/zero")])
def test_what_is_no_ordinary_file_is_refused_before_it_is_read(tmp_path: Path, make):
    (tmp_path / "a").write_bytes(b"a")
    sign(tmp_path)
    (tmp_path / "a").unlink()
    make(tmp_path / "a")
    with pytest.raises(EvidenceError, match="a is no ordinary file"):
        check(tmp_path)


def test_a_file_with_the_manifest_s_name_elsewhere_is_foreign(tmp_path):
    (tmp_path / "sub").mkdir()
    sign(tmp_path)
    (tmp_path / "sub" / MANIFEST).write_text("x")
    with pytest.raises(EvidenceError, match=f"sub/{MANIFEST} is not in the manifest"):
        check(tmp_path)


def test_a_name_is_no_command_to_the_terminal(tmp_path):
    sign(tmp_path)
    (tmp_path / "evil\x1b[31m\n").write_text("x")
    with pytest.raises(EvidenceError) as told:
        check(tmp_path)
    assert str(told.value).isprintable()
