"""Every input that the fuzzer found worth keeping, read in every test run."""

from pathlib import Path

import pytest

from tests.fuzz.fuzz_flight import check_one, read

CORPUS = Path(__file__).resolve().parents[2] / "fuzz" / "corpus_flight"
INPUTS = sorted(CORPUS.iterdir())


def test_there_is_a_corpus():
    assert len(INPUTS) > 20
    assert sum(path.stat().st_size for path in INPUTS) < 128 * 1024


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_kept_inputs(path):
    check_one(path.read_bytes())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_kept_inputs_cut_short(path):
    data = path.read_bytes()[1:]
    for end in range(0, len(data), max(1, len(data) // 20)):
        read(data[:end], 7)
