"""`tlsaudit judge` over a stored run: the same findings as during the scan, and only what should change changes."""

import json
import ssl
from pathlib import Path

import pytest

from audits.demo.behaviour import Behaviour, TlsServer, reply
from audits.demo.certificates import new_authority
from tests.loopback_world import World, world

NAMES = ("good", "old", "clear", "busy")
ZONE = {f"{name}.example": {"MX": [f"10 mx.{name}.example."]} for name in NAMES}
ZONE |= {f"mx.{name}.example": {"A": [f"192.0.2.{number}"]} for number, name in enumerate(NAMES, 1)}
DOMAINS = [f"{name}.example" for name in NAMES]
BASELINE = ("--baseline", "mozilla-intermediate")
WAIVER = '[[waiver]]\nrule = "TLS-001"\nsubject = "old.example"\nowner = "us"\nreason = "soon"\nexpires = %s\n'


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """The world, and what the scan printed for it."""
    authority = new_authority()

    def speaking(host: str, **more: object) -> Behaviour:
        return Behaviour(name=host, tls=TlsServer(chains=(authority.credential(host).chain_pem,), **more))

    servers = {
        ("192.0.2.1", 25): speaking("mx.good.example"),
        ("192.0.2.2", 25): speaking("mx.old.example", minimum=ssl.TLSVersion.TLSv1, ciphers="ALL:@SECLEVEL=0"),
        ("192.0.2.3", 25): Behaviour(name="mx.clear.example"),
        ("192.0.2.4", 25): Behaviour(name="mx.busy.example", greeting=reply(421, "4.7.0 too busy")),
    }
    with world(tmp_path_factory.mktemp("judge"), ZONE, servers, authority) as running:
        options = ["--depth", "standard", "--ports", "25", "--no-policy", "--max-inconclusive", "100", "-q"]
        arguments = ["scan", *running.arguments("judged.db"), *options, *BASELINE, "--format", "jsonl", *DOMAINS]
        done = running.run(*arguments)
        assert done.returncode == 0, done.stderr
        yield running, done.stdout


def judge(running: World, *options: str, form: str = "jsonl", baseline: tuple[str, ...] = BASELINE):
    trust = ["--no-system-trust", "--cafile", str(running.folder / "root.pem")]
    store = ["--store", str(running.folder / "judged.db")]
    return running.run("judge", *store, *trust, *baseline, "--format", form, *options)


def by_domain(out: str) -> dict[str, str]:
    return {json.loads(line)["domain"]: line for line in out.splitlines()}


def verdicts(out: str) -> dict[str, str]:
    return {name: json.loads(line)["baselines"][0]["verdict"] for name, line in by_domain(out).items()}


def test_the_judgement_is_that_of_the_scan_byte_for_byte(scanned):
    running, printed = scanned
    done = judge(running)
    assert (done.returncode, done.stderr) == (0, "")
    assert by_domain(done.stdout) == by_domain(printed)
    said = verdicts(done.stdout)
    assert said.pop("good.example") in ("pass", "warn")
    assert said == {"old.example": "warn", "clear.example": "not-applicable", "busy.example": "unknown"}


def test_a_waiver_changes_only_what_it_covers(scanned, tmp_path: Path):
    running, printed = scanned
    (tmp_path / "w.toml").write_text(WAIVER % "2100-01-01")
    before, after = by_domain(printed), by_domain(judge(running, "--waivers", str(tmp_path / "w.toml")).stdout)
    assert {name for name in DOMAINS if before[name] != after[name]} == {"old.example"}
    findings = [[*json.loads(lines["old.example"])["findings"]] for lines in (before, after)]
    changed = [(was, now) for was, now in zip(*findings, strict=True) if was != now]
    assert changed
    assert {now["rule"] for _, now in changed} == {"TLS-001"}
    assert {(now["verdict"], now["waiver"]) for _, now in changed} == {("waived", "us, until 2100-01-01: soon")}


def test_an_expired_waiver_fails_loudly(scanned, tmp_path: Path):
    running, printed = scanned
    (tmp_path / "w.toml").write_text(WAIVER % "2020-01-01")
    done = judge(running, "--waivers", str(tmp_path / "w.toml"))
    assert done.returncode == 1
    assert "waiver expired on 2020-01-01: TLS-001 for old.example (us): renew it" in done.stderr
    assert by_domain(done.stdout) == by_domain(printed)


def test_a_house_rule_changes_only_its_own_findings(scanned, tmp_path: Path):
    running, printed = scanned
    text = '[baseline]\nid = "house"\ntitle = "t"\nextends = "mozilla-intermediate"\nports = { 25 = "strict" }\n'
    (tmp_path / "house.toml").write_text(text)
    done = judge(running, "--baseline-file", str(tmp_path / "house.toml"))
    for name, line in by_domain(done.stdout).items():
        was, now = json.loads(by_domain(printed)[name]), json.loads(line)
        own = [f for f in now["findings"] if f["baseline"] == "mozilla-intermediate"]
        assert was["findings"] == own
        assert was["baselines"] == now["baselines"][:1]
    strict = {name: json.loads(line)["baselines"][1]["verdict"] for name, line in by_domain(done.stdout).items()}
    assert strict["old.example"] == "fail"


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("warn", {"old.example"}),
        ("TLS-001", {"old.example"}),
        ("unknown", {"busy.example"}),
        ("MAY", {"clear.example"}),
    ],
)
def test_the_gate(scanned, word, names):
    running, _ = scanned
    done = judge(running, "--fail-on", word)
    missed = {line.split()[1].rstrip(":") for line in done.stderr.splitlines() if line.startswith("gate: ")}
    assert done.returncode == 1
    assert names <= missed
    assert "clear.example" not in missed or word == "MAY"


def test_findings_and_a_table_for_people(scanned):
    running, printed = scanned
    lines = [json.loads(line) for line in judge(running, form="findings").stdout.splitlines()]
    told = {(name, f["requirement"]) for name, row in by_domain(printed).items() for f in json.loads(row)["findings"]}
    assert {(line["domain"], line["finding"]["requirement"]) for line in lines} == told
    shown = judge(running, form="table").stdout
    assert "old.example: " in shown
    assert "mozilla-intermediate: warn" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--baseline", "nope"], "there is no baseline 'nope'"),
        (["--fail-on", "fial"], "'fial' is no verdict"),
        (["--baseline-file", "absent.toml"], "does not exist"),
        (["no-such-run"], "no-such-run"),
    ],
)
def test_wrong_use_is_told(scanned, options, words):
    running, _ = scanned
    done = judge(running, *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert not done.stdout
