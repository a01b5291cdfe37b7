"""The examples in data/ are right: the configuration has no mistake, the programs that read the others accept them."""

import shutil
import subprocess

import pytest

from audits.nightly.read_config import read_config
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
