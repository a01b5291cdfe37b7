"""`tlsaudit policy write`: what it prints, what it replaces, and when it writes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audits.cli import cli
from audits.store import RunStart, Store
from tests.audits.policy_table.store_factory import EXPIRED, write_runs
from tests.audits.postfix.oracle import config_folder, queried, written
from tests.audits.session_factory import GOOD, NO_TLS, SILENT

DAYS = 3


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Three runs: one domain is good, one expired in the newest, one was without TLS in the oldest, one is silent."""
    common = {"good.test": GOOD, "silent.test": SILENT}
    runs = [
        {**common, "falling.test": GOOD, "rising.test": NO_TLS},
        {**common, "falling.test": GOOD, "rising.test": GOOD},
        {**common, "falling.test": EXPIRED, "rising.test": GOOD},
    ]
    return write_runs(tmp_path_factory.mktemp("store") / "runs.db", runs)


def write(store: Path, *arguments: object, form: str = "per-site") -> Result:
    words = ["policy", "write", "--format", form, "--store", store, *arguments]
    return CliRunner().invoke(cli, [str(word) for word in words])


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_to_stdout(store):
    done = write(store)
    assert done.exit_code == 0
    assert rows(done.stdout) == ["falling.test MUST_NOPEERMATCH", "good.test MUST", "rising.test MAY"]
    assert "lines: MUST_NOPEERMATCH 1, MUST 1, MAY 1; domains without a line: 1" in done.stderr
    assert "silent.test: mx.example.org [192.0.2.2] answered in none of 3 runs" in done.stderr


def test_fewer_runs_are_asked_for(store):
    assert rows(write(store, "--runs", 2).stdout)[-1] == "rising.test MUST"
    assert rows(write(store, "--runs", 2, "good.test").stdout) == ["good.test MUST"]


def test_more_runs_than_there_are(store):
    done = write(store, "--runs", 5)
    assert "holds 3 finished runs, 5 are wanted: no line demands TLS yet" in done.stderr
    assert rows(done.stdout) == ["rising.test MAY"]


def test_both_tables_of_the_transport_format_on_stdout(store):
    done = write(store, form="transport")
    policies, _, routes = done.stdout.partition("here begins another file, for transport_maps")
    assert rows(policies) == ["[mx.example.org] secure match=nexthop"]
    assert rows(routes)[-1:] == ["good.test smtp:[mx.example.org]"]


def test_strict(store):
    assert "good.test MUST_NOPEERMATCH" in write(store, "--strict").stdout
    assert "unsigned MX records alone (--strict)" in write(store, "--strict", form="transport").stderr


def test_what_must_be_so_beside_the_table_is_told(store):
    done = write(store, form="transport").stderr
    assert "main.cf: smtp_tls_CAfile = FILE" in done
    assert "main.cf: none of the routed domains may be one of your own" in done
    assert "note: DANE of 1 domain was not looked for" in done
    assert "note: a routed host that is taken out of the DNS bounces the mail at once" in done
    assert "# a routed host that is taken out of the DNS" in write(store, form="transport").stdout
    assert "routed host" not in write(store).output


def test_runs_with_other_trust_anchors_are_told(store, tmp_path):
    """The sender may not know the CAs of --cafile, and would defer what they verified."""
    assert "other CAs" not in write(store).stderr
    path = tmp_path / "runs.db"
    with Store.open(path, writing=True) as other:
        run = other.begin_run(RunStart(started=datetime.now(UTC), input_digest="", trust_digest="ab" * 32), [])
        other.finish_run(run.id, datetime.now(UTC))
    assert "trusted other CAs than this system does" in write(path).stderr


def test_a_key_that_is_a_host_of_a_domain_that_was_not_named(tmp_path):
    """In smtp_tls_per_site MX hosts are keys, too: MUST for one domain would hold for its neighbour's mail."""
    store = write_runs(tmp_path / "runs.db", [{"mx.example.org": GOOD, "other.test": EXPIRED}])
    done = write(store, "--runs", 1, "mx.example.org")
    assert rows(done.stdout) == []
    assert "also an MX host of other.test, which does not sustain MUST there" in done.stderr


def test_a_new_file_and_its_difference(store, tmp_path):
    path = tmp_path / "table"
    done = write(store, "--output", path)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "+good.test MUST" in done.stderr
    assert f"written: {path}; now run: postmap {path}" in done.stderr
    assert rows(path.read_text())[1] == "good.test MUST"


def test_nothing_is_overwritten_without_force(store, tmp_path):
    path = tmp_path / "table"
    path.write_text("good.test NONE\n")
    path.chmod(0o640)
    done = write(store, "--output", path)
    assert done.exit_code == 2
    assert "-good.test NONE" in done.stderr
    assert "nothing was written; --force replaces it" in done.stderr
    assert path.read_text() == "good.test NONE\n"
    assert write(store, "--output", path, "--force").exit_code == 0
    assert "good.test MUST" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_equal_file_is_left_alone(store, tmp_path):
    path = tmp_path / "table"
    write(store, "--output", path)
    before = path.stat().st_ino
    done = write(store, "--output", path)
    assert (done.exit_code, "written" in done.stderr, path.stat().st_ino) == (0, False, before)


def test_two_files_or_none(store, tmp_path):
    routes, policies = tmp_path / "transport", tmp_path / "tls_policy"
    policies.write_text("mine may\n")
    both = ("--output", routes, "--policy-output", policies)
    assert write(store, *both, form="transport").exit_code == 2
    assert not routes.exists()
    assert write(store, *both, "--force", form="transport").exit_code == 0
    assert rows(policies.read_text()) == ["[mx.example.org] secure match=nexthop"]
    assert rows(routes.read_text()) == ["good.test smtp:[mx.example.org]"]


def test_nights_in_which_nobody_answered_empty_no_table(tmp_path):
    """The lines of an unattended --force would all go, and the mail with them back to main.cf's level."""
    names = [f"d{number}.test" for number in range(6)]
    nights = [{name: SILENT if number < 4 else GOOD for number, name in enumerate(names)}] * 3
    silent = write_runs(tmp_path / "silent.db", nights)
    table = tmp_path / "table"
    table.write_text("".join(f"{name} MUST\n" for name in names))
    before = table.read_text()
    done = write(silent, "--output", table, "--force")
    assert (done.exit_code, table.read_text()) == (1, before)
    assert "4 of 6 lines would vanish for lack of answers (d0.test, d1.test, d2.test, d3.test)" in done.stderr
    assert write(silent, "--output", table, "--force", "--max-vanish", 67).exit_code == 0
    assert rows(table.read_text()) == ["d4.test MUST", "d5.test MUST"]


def test_lines_that_fail_are_taken_out_however_many_they_are(tmp_path):
    """The certificate of an operator ends: if its routes stayed, the mail of all its domains would wait."""
    names = [f"d{number}.test" for number in range(8)]
    nights = [dict.fromkeys(names, GOOD)] * 2
    fallen = write_runs(tmp_path / "fallen.db", [*nights, {**nights[0], **dict.fromkeys(names[:6], EXPIRED)}])
    both = ("--output", tmp_path / "transport", "--policy-output", tmp_path / "tls_policy")
    good = write_runs(tmp_path / "good.db", [*nights, nights[0]])
    assert write(good, *both, form="transport").exit_code == 0
    assert len(rows((tmp_path / "transport").read_text())) == 8
    done = write(fallen, *both, "--force", form="transport")
    assert (done.exit_code, rows((tmp_path / "transport").read_text())) == (
        0,
        [f"{n} smtp:[mx.example.org]" for n in names[6:]],
    )


def test_a_line_that_loses_mail_weighs_more_than_lines_that_lapse(tmp_path):
    names = [f"d{number}.test" for number in range(6)]
    night = {name: SILENT if number < 4 else EXPIRED for number, name in enumerate(names)}
    table = tmp_path / "table"
    table.write_text("".join(f"{name} verify\n" for name in names))
    done = write(write_runs(tmp_path / "runs.db", [night] * 3), "--output", table, "--force", form="policy-maps")
    assert (done.exit_code, rows(table.read_text())) == (0, ["d4.test encrypt", "d5.test encrypt"])
    assert "warning: " in done.stderr
    assert "replaced all the same, for d4.test, d5.test would lose mail" in done.stderr


def test_three_lines_may_always_vanish(store, tmp_path):
    table = tmp_path / "table"
    table.write_text("a.test may\nb.test may\nc.test may\n")
    assert write(store, "--output", table, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("form", "outputs", "parameters"),
    [
        ("per-site", ("--output",), ("smtp_tls_per_site",)),
        ("policy-maps", ("--output",), ("smtp_tls_policy_maps",)),
        ("transport", ("--policy-output", "--output"), ("smtp_tls_policy_maps", "transport_maps")),
    ],
)
def test_the_rehearsal_that_is_told_works(store, tmp_path, form, outputs, parameters):
    """The words of the last line, with a main.cf in place of FILE, are a command."""
    words = [word for number, name in enumerate(outputs) for word in (name, tmp_path / f"table{number}")]
    told = write(store, *words, form=form).stderr.split("what your main.cf makes of it: tlsaudit ")[1].splitlines()[0]
    assert [word.split("=")[0] for word in told.split() if "texthash" in word] == list(parameters)
    main_cf = tmp_path / "main.cf"
    main_cf.write_text("smtp_tls_security_level = may\n")
    command = [str(main_cf) if word == "FILE" else word for word in told.split()]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.stderr
    assert "under the change:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--postfix", "three"], "no Postfix version"),
        (["--runs", "0"], "0 is not in the range"),
        (["--format", "policy-maps", "--postfix", "2.2.9"], "has no smtp_tls_policy_maps"),
        (["--policy-output", "x"], "belongs to --format transport"),
        (["--format", "transport", "--output", "x"], "makes two tables"),
        (["--format", "transport", "--output", "x", "--policy-output", "./x"], "the same file"),
        (["a b.test\n# x"], "DOMAIN"),
        (["user@good.test"], "an e-mail address"),
        (["# comment"], "there is no domain name"),
        (["unknown.test"], "no finished run has unknown.test"),
        (["--output", "/dev/null"], "no regular file"),
        (["--output", "/nonexistent/table"], "its folder does not exist"),
    ],
)
def test_wrong_use_ends_with_2_and_writes_nothing(store, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = write(store, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_none(tmp_path):
    (tmp_path / "text").write_text("no database\n" * 200)
    for name, words in (("missing.db", "missing.db"), ("text", "no SQLite database")):
        done = write(tmp_path / name, "--output", tmp_path / "table")
        assert (done.exit_code, done.stdout) == (4, "")
        assert words in done.stderr
    assert not (tmp_path / "table").exists()
    assert not (tmp_path / "missing.db").exists()


def test_a_store_without_a_finished_run(tmp_path):
    path = write_runs(tmp_path / "runs.db", [{"good.test": GOOD}], finished=False)
    done = write(path)
    assert done.exit_code == 2
    assert "holds no finished run: scan first" in done.stderr


def test_a_folder_that_cannot_be_written(store, tmp_path):
    (tmp_path / "table").write_text("x may\n")
    (tmp_path / "table").chmod(0o400)
    place = Path("/proc/self/table")
    done = write(store, "--output", place)
    assert done.exit_code == 4
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("form", ["per-site", "policy-maps"])
def test_our_own_linter_finds_nothing(store, form, tmp_path):
    path = tmp_path / "table"
    write(store, "--output", path, form=form)
    done = CliRunner().invoke(cli, ["policy", "lint", str(path), "--kind", form])
    assert (done.exit_code, done.stderr) == (0, "errors: 0, warnings: 0, notes: 0\n")


@pytest.mark.parametrize(("form", "value"), [("per-site", "MUST"), ("policy-maps", "verify")])
def test_the_real_postmap_takes_them(store, form, value, tmp_path):
    table = write(store, form=form).stdout
    name, log = written(config_folder(tmp_path), "hash", table)
    assert log == ""
    assert queried(tmp_path, name, ["good.test", "no.test"]) == ({"good.test": value}, "")
