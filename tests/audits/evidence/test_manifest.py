"""The manifest: every file, in the form of sha256sum, and no path that leads out of the pack."""

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
