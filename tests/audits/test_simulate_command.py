"""`tlsaudit policy simulate` as a command: its words, its three formats, exit codes, and sentences about bad input."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from audits.cli import cli
from audits.store import DomainResult, Store
from tests import stored_samples
from tests.audits.session_factory import MX, NO_TLS
from tests.audits.simulate.scripted_world import CA, UNTRUSTED, domain, facts_at, server
from tests.certificate_factory import pem

HOSTS = {"good.example": server(), "bad.example": server(UNTRUSTED), "plain.example": NO_TLS}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of three domains, a main.cf, the root and a mail log."""
    folder = tmp_path_factory.mktemp("simulate")
    seen = {name: facts_at(host, address=f"192.0.2.{at}") for at, (name, host) in enumerate(HOSTS.items(), 1)}
    domains = [domain(name, (10, MX, facts)) for name, facts in seen.items()]
    with Store.open(folder / "runs.db", writing=True) as store:
        begin = msgspec.structs.replace(stored_samples.start(), started=datetime.now(UTC))
        run = store.begin_run(begin, [facts.target for facts in domains])
        results = [DomainResult(at, facts, "MUST", b"{}") for at, facts in enumerate(domains, 1)]
        store.save(run.id, results, list(seen.values()))
        store.finish_run(run.id, stored_samples.start(1).started)
    (folder / "root.pem").write_text(pem(CA.der).decode())
    main_cf = f"smtp_use_tls = yes\nsmtp_tls_CAfile = {folder}/root.pem\nmyhostname = h.example\n"
    (folder / "main.cf").write_text(main_cf)
    said = "Nov 21 10:00:00 h postfix/smtp[1]: "
    sent = f"{said}4XyZ1234567: to=<u@good.example>, relay=x[192.0.2.1]:25, status=sent (ok)\n"
    tls = f"{said}Untrusted TLS connection established to {MX}[192.0.2.1]:25: TLSv1.3 with\n"
    (folder / "maillog").write_text(sent * 3 + tls)
    return folder


def simulate(world: Path, *arguments: str) -> Result:
    given = ["policy", "simulate", "--main-cf", f"{world}/main.cf", "--store", f"{world}/runs.db", *arguments]
    return CliRunner().invoke(cli, given)


def test_all_domains_of_the_run(world: Path) -> None:
    done = simulate(world)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [
        "good.example: Trusted TLS",
        f"    today    {MX} [192.0.2.1]:25  may: Trusted TLS",
    ]
    assert "3 domains\ntoday: 1 Trusted TLS, 1 Untrusted TLS, 1 clear\n" in done.stdout


def test_a_run_that_is_old_or_goes_on_is_told(world: Path, tmp_path: Path) -> None:
    begin = msgspec.structs.replace(stored_samples.start(), started=datetime.now(UTC) - timedelta(days=80))
    with Store.open(tmp_path / "runs.db", writing=True) as store:
        store.begin_run(begin, [domain("good.example").target])
    done = simulate(world, "--store", f"{tmp_path}/runs.db", "--format", "json")
    assert "is not finished: 0 of 1 domains are in it" in done.stderr
    assert any("is 80 days old" in note for note in json.loads(done.stdout)["notes"])


@pytest.mark.parametrize(
    "change", [["--what-if", "smtp_enforce_tls=yes"], ["--what-if-level", "MUST"], ["--what-if-level", "verify"]]
)
def test_a_change(world: Path, change: list[str]) -> None:
    done = simulate(world, *change)
    assert done.exit_code == 0
    assert "good.example: Trusted TLS  ->  Verified TLS" in done.stdout
    assert "under the change: 2 deferred, 1 Verified TLS" in done.stdout
    assert "deferred or bounced by: " in done.stdout
    assert "3 domains change: 2 would be deferred or bounced, 0 no longer" in done.stdout


def test_a_changed_table_goes_before_the_table_of_today(world: Path) -> None:
    (world / "site").write_text("good.example MUST\n")
    change = ("--what-if", "smtp_tls_per_site=inline:{good.example=NONE}")
    done = simulate(world, "--per-site", f"{world}/site", *change, "good.example")
    assert "good.example: Verified TLS  ->  clear" in done.stdout


def test_only_what_changes(world: Path) -> None:
    done = simulate(world, "--what-if-level", "MUST_NOPEERMATCH", "--changed")
    assert "plain.example: clear  ->  deferred" in done.stdout
    assert "good.example" not in done.stdout
    assert "3 domains\n" in done.stdout


def test_a_transport_table_and_a_list_of_domains(world: Path) -> None:
    (world / "transport").write_text(f"good.example smtp:[{MX}]\nplain.example error:closed\n")
    (world / "list.txt").write_text("plain.example\ngood.example # ours\nabsent.example\n")
    done = simulate(world, "--transport", f"{world}/transport", f"{world}/list.txt")
    assert done.exit_code == 0
    assert done.stdout.startswith("plain.example: bounced [transport: ")
    assert "absent.example is not in the run" in done.stderr


def test_a_list_of_which_nothing_is_in_the_run_is_wrong_use(world: Path) -> None:
    done = simulate(world, "absent.example")
    assert done.exit_code == 2
    assert "none of these domains is in the run" in done.stderr


def test_a_mail_log_gives_weights_and_words(world: Path) -> None:
    done = simulate(world, "--mail-log", f"{world}/maillog")
    assert "good.example: Trusted TLS  (3 deliveries)" in done.stdout
    assert "deliveries: 3 Trusted TLS" in done.stdout
    assert "contradicted: mx.example.org[192.0.2.1]:25: the log says Untrusted (1 times)" in done.stdout


def test_json_is_one_object(world: Path) -> None:
    done = simulate(world, "--format", "json", "--what-if-level", "MUST", "--mail-log", f"{world}/maillog")
    found = json.loads(done.stdout)
    assert [each["domain"] for each in found["domains"]] == list(HOSTS)
    assert found["domains"][0]["changed"]["possible"] == [
        {"kind": "tls", "word": "Verified", "cause": "", "detail": "", "late": False}
    ]
    assert found["summary"]["newly_lost"] == 2
    assert found["mail_log"][0]["verdict"] == "contradicted"
    assert json.loads(simulate(world, "--format", "json", "--changed").stdout)["domains"] == []


def test_csv_is_rows_alone(world: Path) -> None:
    done = simulate(world, "--format", "csv", "--what-if-level", "MUST")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert len(rows) == 6
    assert "3 domains" in done.stderr


def test_what_is_not_followed_is_named(world: Path) -> None:
    done = simulate(world, "-o", "sender_dependent_relayhost_maps=hash:/x", "--what-if", "smtp_enfroce_tls=yes")
    assert "sender_dependent_relayhost_maps is not followed" in done.stderr
    assert "no version of Postfix has a parameter smtp_enfroce_tls" in done.stderr


def test_old_engines(world: Path) -> None:
    done = simulate(world, "--engine", "2.2.8", "--per-site", f"{world}/gone")
    assert done.exit_code == 2
    done = simulate(world, "--engine", "2.2.9")
    assert done.exit_code == 0
    assert "Postfix 2.2.9" in done.stderr


@pytest.mark.parametrize(("level", "end"), [("MUST", "Verified TLS"), ("encrypt", "Trusted TLS"), ("NONE", "clear")])
def test_a_level_for_all_under_an_old_engine(world: Path, level: str, end: str) -> None:
    """Postfix 2.2 has three switches in place of levels."""
    done = simulate(world, "--engine", "2.2.9", "--what-if-level", level, "--format", "json", "good.example")
    ((changed,),) = [each["changed"]["possible"] for each in json.loads(done.stdout)["domains"]]
    assert end in (changed["kind"], f"{changed['word']} TLS")
    assert simulate(world, "--engine", "2.2.9", "--what-if-level", "secure").exit_code == 2


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("main_cf", "words"),
    [
        (b"smtp_use_tls = maybe\n", ":1: smtp_use_tls = maybe"),
        (b"relayhost =\nsmtp_tls_CAfile = /no/such.pem\n", ":2: smtp_tls_CAfile: cannot read /no/such.pem"),
        (b"relayhost = $a\na = $b\nb = $a\n", ":1: relayhost"),
        (b"transport_maps = mysql:/etc/x\n", ':1: tables of the type "mysql"'),
        (b"x = y\n" + b"z = " + b"a" * 1_000_000 + b"\n", ":2: line of 1000004 bytes"),
        (b"x = y\nz = \0\n", ":2: NUL byte"),
        (b"smtp_tls_security_level = strict\n", ":1: smtp_tls_security_level = strict"),
        (b"smtp_mx_address_limit = -1\n", ":1: smtp_mx_address_limit = -1"),
    ],
)
def test_a_bad_main_cf_names_its_line(world: Path, tmp_path: Path, main_cf: bytes, words: str) -> None:
    (tmp_path / "main.cf").write_bytes(main_cf)
    done = simulate(world, "--main-cf", f"{tmp_path}/main.cf")
    assert done.exit_code == 2, done.output
    assert f"{tmp_path}/main.cf{words}" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--main-cf", "/no/main.cf"], 2, "/no/main.cf: cannot be read"),
        (["--transport", "/no/transport"], 2, "/no/transport: cannot be read"),
        (["--mail-log", "/no/log"], 2, "/no/log: cannot be read"),
        (["--what-if", "nonsense"], 2, "--what-if"),
        (["--what-if-level", "STRICT"], 2, "--what-if-level"),
        (["--run", "never"], 2, "never"),
        (["/no/list.txt"], 2, "/no/list.txt"),
        (["not..a..domain"], 2, "bad lines"),
        (["--store", "/no/store.db"], 4, "there is no folder /no"),
    ],
)
def test_bad_words(world: Path, arguments: list[str], code: int, words: str) -> None:
    done = simulate(world, *arguments)
    assert (done.exit_code, words in done.stderr) == (code, True), done.output
