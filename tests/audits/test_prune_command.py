"""`tlsaudit prune` as a command: what it says, what it keeps, how it refuses."""

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.store import Store
from tests.stored_samples import entries, result, seen, start


@pytest.fixture
def store(tmp_path):
    """Six finished runs in the past, each with a server of its own."""
    path = tmp_path / "runs.db"
    with Store.open(path, writing=True) as opened:
        for number in range(6):
            run = opened.begin_run(start(number - 10_000), entries(1))
            opened.save(run.id, [result(1, number + 1)], [seen(number + 1)])
            opened.finish_run(run.id, start(number - 10_000).started)
    return str(path)


def run(store, *arguments):
    return CliRunner().invoke(cli, ["prune", *arguments, "--store", store])


def names(store):
    with Store.open(store) as opened:
        return [run.name for run in opened.runs()]


def test_a_dry_run_tells_what_the_real_one_does(store):
    before = names(store)
    dry = run(store, "--keep", "30d", "--dry-run")
    assert (dry.exit_code, names(store)) == (0, before)
    real = run(store, "--keep", "30d")
    assert (real.exit_code, names(store)) == (0, before[2:])
    assert real.stdout.splitlines()[:3] == [
        line.replace("would remove", word)
        for line, word in zip(dry.stdout.splitlines(), ("removing", "", "removed"), strict=True)
    ]
    assert real.stdout.splitlines() == [
        f"removing 2 of 6 runs: {before[0]} to {before[1]}",
        f"old, but kept for `tlsaudit diff` and `tlsaudit nightly`: {', '.join(before[2:])}",
        "removed 2 domain results, 2 endpoint results, 6 facts (0.0 MB), 2 certificates (0.0 MB)",
        real.stdout.splitlines()[3],
    ]
    assert real.stdout.splitlines()[3].startswith("file: 0.1 MB")


def test_what_a_nightly_run_told_last_stays(store):
    first = names(store)[0]
    with Store.open(store, writing=True) as opened:
        opened.remember("nightly-told /etc/night.toml", first)
    assert run(store, "--keep", "30d").exit_code == 0
    assert names(store)[0] == first


def test_young_runs_stay(store):
    assert run(store, "--keep", "99999d").stdout.startswith("removing 0 of 6 runs\n")
    assert len(names(store)) == 6


def test_the_number_of_runs_to_keep(store):
    assert run(store, "--keep", "12w", "--keep-runs", "2", "--no-compact").exit_code == 0
    assert len(names(store)) == 2


def test_an_unfinished_run_is_told_and_kept(store):
    with Store.open(store, writing=True) as opened:
        opened.begin_run(start(-20_000), entries(1))
        opened.begin_run(start(-9_000), entries(1))
    said = run(store, "--keep", "30d", "--dry-run").stdout
    assert "old, but unfinished and kept (--unfinished removes them)" in said
    run(store, "--keep", "30d", "--unfinished")
    assert len(names(store)) == 5, "the newest run may be going on"


@pytest.mark.parametrize("age", ["90", "d", "-1d", "90 days", "1.5d", "9999999d", "90m"])
def test_an_age_that_is_none(store, age):
    done = run(store, f"--keep={age}")
    assert done.exit_code == 2
    assert "as 90d, 12w or 36h" in done.stderr


def test_a_store_that_another_run_writes_to(store):
    with Store.open(store, writing=True):
        done = run(store, "--keep", "30d")
        assert done.exit_code == 4
        assert "another run" in done.stderr
        assert run(store, "--keep", "30d", "--dry-run").exit_code == 0


def test_no_age_no_pruning(store):
    assert run(store).exit_code == 2


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_store_that_is_not_there_is_told_and_not_made(tmp_path, more):
    done = run(str(tmp_path / "none.db"), "--keep", "30d", *more)
    assert (done.exit_code, done.stdout) == (4, "")
    assert "there is no store" in done.stderr
    assert list(tmp_path.iterdir()) == []
