"""The newest pyOpenSSL and cryptography, which sslyze does not allow, and no sslyze: TLS and trust work there too."""

import ast
import shutil
from pathlib import Path

import pytest

from tests.environments import ROOT, Environment, environment

TOOLS = ("pytest", "pytest-trio", "hypothesis")
TESTS = (
    "tests/scanner/test_handshake.py",
    "tests/scanner/test_certificates.py",
    "tests/audits/test_trust.py",
    "tests/audits/test_names.py",
    "tests/audits/demo",
)
SSLYZE_ROOM = Path("scanner/sslyze_probe.py")


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """No constraints: pip takes the newest that pyproject.toml allows."""
    return environment(tmp_path_factory, "newest", ["--upgrade", "cryptography", "pyopenssl", *TOOLS])


@pytest.fixture(scope="session")
def newest_versions(newest: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return newest.versions(tmp_path_factory.mktemp("anywhere"))


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def test_the_environment_is_newer_than_sslyze_allows_and_lacks_it(newest_versions):
    pinned = dict(line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    assert "sslyze" not in newest_versions
    assert "nassl" not in newest_versions
    for name in ("cryptography", "pyopenssl"):
        assert number(newest_versions[name]) > number(pinned[name]), f"{name}: constraints.txt has the newest already"


def test_handshake_trust_and_demo_pass_there(newest, tmp_path):
    """The tests run on the installed wheel: beside them lie no sources."""
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__", "bench", "lab"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = newest.run("python", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


def imported(file: Path) -> set[str]:
    """The modules that a file imports anywhere, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def test_only_its_room_imports_sslyze():
    files = [file for package in ("scanner", "audits") for file in (ROOT / package).rglob("*.py")]
    users = {
        file.relative_to(ROOT)
        for file in files
        if any(name.split(".")[0] in ("sslyze", "nassl") for name in imported(file))
    }
    assert users <= {SSLYZE_ROOM}
