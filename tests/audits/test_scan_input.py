"""What a scan reads: files, standard input and words, twice, in flat memory; exclusions, understood or refused."""

import io
import os
import tracemalloc
from pathlib import Path

import pytest

from audits.scan_input import SPOOL_BYTES, InputError, ScanInput, read_exclusions
from scanner.facts import BadLine, Target


def no_stdin():
    raise AssertionError("nobody asked for standard input")


def entries(given: ScanInput) -> list[str]:
    return [line.entry if isinstance(line, Target) else f"bad: {line.text}" for line in given.lines()]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_words_files_and_stdin_in_one_input(here):
    (here / "list.txt").write_text("b.example MUST\n# a comment\n\nnot a domain\n")
    with ScanInput(["a.example", "list.txt", "-"], lambda: io.BytesIO(b"C.example.\r\n")) as given:
        first = entries(given)
        assert sorted(first) == ["a.example", "b.example", "bad: not a domain", "c.example"]
        assert entries(given) == first, "it can be read again"
        assert [target.entry for target in given.targets()] == [name for name in first if not name.startswith("bad")]
        sources = {line.source: line.number for line in given.lines() if isinstance(line, BadLine)}
        assert sources == {"list.txt": 4}


def test_a_csv_file_with_a_bom(here):
    (here / "domains.csv").write_bytes(b"\xef\xbb\xbfOrg,Domain\r\nOne,a.example\r\nTwo,b.example\r\n")
    with ScanInput(["domains.csv"], no_stdin) as given:
        assert entries(given) == ["a.example", "b.example"]


def test_a_pipe_is_spooled_and_read_twice(here):
    pipe = here / "pipe.txt"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    pipe_writer = os.open(pipe, os.O_WRONLY)
    os.write(pipe_writer, b"a.example\n")
    os.close(pipe_writer)
    with os.fdopen(reader, "rb") as stdin, ScanInput(["-"], lambda: stdin) as given:
        assert entries(given) == entries(given) == ["a.example"]


@pytest.mark.parametrize("word", ["domains.txt", "LIST.CSV", "./a", "lists/a.example", "a.example/"])
def test_a_word_that_means_a_file_is_not_scanned_as_a_domain(here, word):
    with pytest.raises(
        InputError, match=r"No such file or directory; to scan a domain of this name write it with a dot"
    ):
        ScanInput([word], no_stdin)


def test_a_folder_is_refused_in_a_sentence(here):
    (here / "a.example").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        ScanInput(["a.example"], no_stdin)


@pytest.mark.parametrize("word", ["x" * 100_000, "a" * 300 + ".example", "\udcff.example", "a\nb"])
def test_strange_words_are_bad_lines(here, word):
    with ScanInput([word], no_stdin) as given:
        assert [type(line) for line in given.lines()] == [BadLine]


def test_files_are_closed_when_a_later_one_is_missing(here, recwarn):
    (here / "list.txt").write_text("a.example\n")
    with pytest.raises(InputError):
        ScanInput(["list.txt", "none.txt"], no_stdin)
    assert not recwarn.list


def test_memory_stays_flat_with_stdin_larger_than_the_spool(here):
    line = b"d%07d.example # " + b"x" * 1000 + b"\n"
    count = 4 * SPOOL_BYTES // len(line)
    stream = io.BytesIO(b"".join(line % number for number in range(count)))
    tracemalloc.start()
    try:
        with ScanInput(["-"], lambda: stream) as given:
            assert sum(1 for _ in given.targets()) == count
        assert tracemalloc.get_traced_memory()[1] < SPOOL_BYTES * 2
    finally:
        tracemalloc.stop()


# --- exclusions ----------------------------------------------------------------------------------------------------


def excluded(folder: Path, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    (folder / "no.txt").write_bytes(text.encode())
    return read_exclusions([folder / "no.txt"])


def test_names_and_networks_are_told_apart(tmp_path):
    names = "\ufeffExample.ORG.  # asked by mail\n\n  *.example.net\n.example.com\nbücher.example\n"
    text = names + "192.0.2.0/24\n2001:db8::1\n"
    assert excluded(tmp_path, text) == (
        ("example.org", "example.net", "example.com", "xn--bcher-kva.example"),
        ("192.0.2.0/24", "2001:db8::1"),
    )


@pytest.mark.parametrize(
    "line", ["not a name", "[mx.example.org]", "example.org:25", "192.0.2.0/33", "192.0.2.1/24", "a..example", "*"]
)
def test_what_is_not_understood_is_refused_and_never_ignored(tmp_path, line):
    with pytest.raises(InputError, match=r"no\.txt, line 2: "):
        excluded(tmp_path, f"example.org\n{line}\n")


@pytest.mark.parametrize("line", ["192.0.2.0/33", "192.0.2.1/24", "2001:db8::/129", "::1/64"])
def test_what_was_meant_as_a_network_is_called_one(tmp_path, line):
    with pytest.raises(InputError, match="no network: write its first address and length"):
        excluded(tmp_path, line)


@pytest.mark.parametrize("line", ["exa mple", "a b c", "a.example, b.example", "a.example;b.example", "mx:25"])
def test_a_list_that_has_no_levels_speaks_of_none(tmp_path, line):
    with pytest.raises(InputError, match=r"line 1: '.*': write one domain, host, address or network a line$"):
        excluded(tmp_path, line)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: No such file or directory$"):
        read_exclusions([tmp_path / "none.txt"])
    (tmp_path / "latin.txt").write_bytes(b"b\xfccher.example\n")
    with pytest.raises(InputError, match=r"latin\.txt, line 1: not in UTF-8"):
        read_exclusions([tmp_path / "latin.txt"])
    assert read_exclusions([]) == ((), ())
