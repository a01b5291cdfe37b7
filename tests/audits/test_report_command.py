"""`tlsaudit report` as people run it: files whole or not at all, clear words for what is wrong."""

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.judge_command import OTHER_TRUST
from audits.reports.judged import OTHER_CAS
from audits.store import Store
from tests.stored_samples import entries, start


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    file = tmp_path_factory.mktemp("store") / "s.db"
    result = CliRunner().invoke(cli, ["demo", "--store", str(file)])
    assert result.exit_code == 0, result.output
    return str(file)


def report(*words):
    return CliRunner().invoke(cli, ["report", *words])


def test_all_three_files_appear(store, tmp_path):
    files = [tmp_path / name for name in ("r.html", "r.csv", "r.md")]
    words = [
        word
        for option, file in zip(("--html", "--csv", "--markdown"), files, strict=True)
        for word in (option, str(file))
    ]
    result = report("latest", "--store", store, *words, "--baseline", "mozilla-intermediate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{OTHER_TRUST}\n", "the demo has a trust store of its own"
    assert all("legacy.example" in file.read_text() for file in files)
    assert sorted(tmp_path.iterdir()) == sorted(files), "no temporary file stays"


@pytest.mark.parametrize("anew", [True, False])
def test_files_tell_that_other_cas_judged_and_only_then(store, tmp_path, anew):
    page, tickets = tmp_path / "r.html", tmp_path / "r.md"
    baseline = ["--baseline", "mozilla-intermediate"] if anew else []
    result = report("--store", store, "--html", str(page), "--markdown", str(tickets), *baseline)
    assert result.exit_code == 0
    assert (OTHER_TRUST in result.stderr) is anew
    assert page.read_text().count(OTHER_CAS) == anew
    assert tickets.read_text().count(f"**Warning: {OTHER_CAS}**") == anew


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what to write"),
        (["--html", "/nonexistent/r.html"], "No such file"),
        (["--html", "r.html", "--baseline", "nonsense"], "there is no baseline 'nonsense'"),
        (["norun", "--html", "r.html"], "norun"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_written(store, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    result = report("--store", store, *words)
    assert result.exit_code == 2
    assert said in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on", "MAY"], "gate: notls.example: grade MAY\n"),
        (["--baseline", "bod-18-01", "--fail-on", "fail"], "gate: notls.example: fail BOD1801-STARTTLS"),
        (["--baseline", "bod-18-01", "--waivers"], "waiver expired on 2020-01-01"),
    ],
)
def test_the_gate_is_missed_and_the_files_are_there(store, tmp_path, words, said):
    (tmp_path / "w.toml").write_text(
        '[[waiver]]\nrule = "*"\nsubject = "*"\nowner = "us"\nreason = "soon"\nexpires = 2020-01-01\n'
    )
    waivers = [str(tmp_path / "w.toml")] if words[-1] == "--waivers" else []
    files = ["--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv")]
    result = report("--store", store, *files, *words, *waivers)
    assert result.exit_code == 1
    assert result.stderr.count(said) == 1
    assert (tmp_path / "r.html").exists()
    assert (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("words", [["--fail-on", "MAY"], ["--baseline", "rfc"]])
def test_a_notebook_takes_no_gate_and_no_baseline(store, tmp_path, words):
    page = ["--notebook", "nightly_report", "--html", str(tmp_path / "r.html")]
    result = report("--store", store, *page, *words)
    assert result.exit_code == 2
    assert "leave other reports and baselines out" in result.stderr


def test_a_store_that_is_not_there_is_our_failure(tmp_path):
    result = report("--store", str(tmp_path / "none.db"), "--html", str(tmp_path / "r.html"))
    assert result.exit_code == 4


def test_a_run_that_is_not_finished_is_told(tmp_path):
    with Store.open(tmp_path / "s.db", writing=True) as opened:
        opened.begin_run(start(), entries(3))
    result = report("--store", str(tmp_path / "s.db"), "--csv", str(tmp_path / "r.csv"))
    assert result.exit_code == 0
    assert "is not finished: 0 of 3 domains" in result.stderr
