"""The examples in data/ are right: the configuration has no mistake, the programs that read the others accept them."""

import shutil
import subprocess

import pytest

from audits.baseline import baseline_from_file, shipped_baseline
from audits.nightly.read_config import read_config
from audits.waivers import waivers_from_file
from tests.environments import ROOT

EXAMPLES = ROOT / "data" / "examples"


def test_the_configuration_has_no_mistake():
    night = read_config(EXAMPLES / "nightly.toml")
    assert night.scan["max_runtime"] == 5 * 3600


def test_what_is_commented_out_has_no_mistake_either(tmp_path):
    for name in ("domains.txt", "mail.password", "webhook.token"):
        (tmp_path / name).write_text("example.org\n")
    text = (EXAMPLES / "nightly.toml").read_text()
    section = text[text.index("# [mail]") :].replace("\n# ", "\n").removeprefix("# ")
    (tmp_path / "nightly.toml").write_text(text + "\n" + section)
    config = read_config(tmp_path / "nightly.toml").config
    assert config.mail
    assert config.webhook


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here to ask")
def test_systemd_accepts_its_units(tmp_path):
    for name in ("tlsaudit.service", "tlsaudit.timer"):
        text = (EXAMPLES / name).read_text().replace("/usr/local/bin/tlsaudit", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.glob("tlsaudit.*"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "tlsaudit" not in done.stderr, done.stderr


def test_the_standard_of_ones_own_is_mozilla_with_one_requirement_less_and_one_sharper():
    own = {q.requirement.id: q.requirement for q in baseline_from_file(EXAMPLES / "house.toml").questions}
    base = {q.requirement.id: q.requirement for q in shipped_baseline("mozilla-intermediate").questions}
    assert base.keys() - own.keys() == {"MOZ-INTER-STAPLE"}
    assert own.keys() <= base.keys()
    assert {id for id in own if own[id] != base[id]} == {"MOZ-INTER-PQ"}
    assert (base["MOZ-INTER-PQ"].level, own["MOZ-INTER-PQ"].level) == ("should", "must")


def test_the_waivers_are_read():
    (waiver,) = waivers_from_file(EXAMPLES / "waivers.toml").all
    assert (waiver.rule, waiver.subject) == ("CERT-*", "mx1.partner.example")
