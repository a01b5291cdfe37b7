"""What a user installs: wheel and sdist hold what they must and nothing else, and run where nothing else is."""

import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.environments import ROOT, Distributions, Environment, distributions, environment

PACKAGES = ("scanner", "audits")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return distributions(tmp_path_factory)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(tmp_path_factory, "installed", ["-c", str(ROOT / "constraints.txt")])


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def sources(built: Distributions, *folders: str) -> set[str]:
    """The files of these folders, as they went into the build."""
    files = (file for folder in folders for file in (built.sources / folder).rglob("*") if file.is_file())
    return {file.relative_to(built.sources).as_posix() for file in files if file.name != ".gitignore"}


def test_the_wheel_holds_both_packages_with_their_data_and_nothing_else(built):
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    notebooks = {f"audits/{name}" for name in sources(built, "notebooks")}
    assert names - metadata == sources(built, *PACKAGES) | notebooks
    assert any(name.endswith(".ipynb") for name in notebooks)
    assert any(name.endswith("cipher_suites.csv") for name in names)
    assert any(name.endswith("dh_primes.csv") for name in names)
    assert any(name.endswith(".toml") for name in names)
    assert not [name for name in names if "test" in name or "__pycache__" in name]
    assert {name.partition(".dist-info/")[2] for name in metadata} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_the_wheel_says_who_it_is(built):
    stated = project()
    with zipfile.ZipFile(built.wheel) as wheel:
        read = {Path(name).name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" in name}
    metadata = Parser().parsestr(read["METADATA"].decode())
    assert (metadata["Name"], metadata["Version"]) == (stated["name"], stated["version"])
    assert metadata["License-Expression"] == "AGPL-3.0-or-later"
    assert metadata["Requires-Python"] == stated["requires-python"]
    assert read["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert read["entry_points.txt"].split() == [b"[console_scripts]", b"tlsaudit", b"=", b"audits.cli:main"]
    assert b"Root-Is-Purelib: true" in read["WHEEL"]
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(needed) == len(stated["dependencies"])
    assert not [line for line in needed if line.lower().startswith(("sslyze", "pandas", "pytest"))]


def test_the_sdist_holds_sources_tests_and_data(built):
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert sources(built, *PACKAGES, "tests", "data", "notebooks") <= names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "constraints.txt"} <= names
    allowed = {*PACKAGES, "tests", "data", "notebooks"}
    loose = {name for name in names if name.partition("/")[0] not in allowed}
    files = {"LICENSE", "Makefile", "constraints.txt", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert {name for name in loose if not name.endswith(".md")} <= files
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))]


def test_the_environment_has_the_pinned_versions_and_no_more_than_it_needs(installed, tmp_path):
    lines = (line for line in (ROOT / "constraints.txt").read_text().lower().splitlines() if not line.startswith("#"))
    pinned = dict(line.split("==") for line in lines)
    versions = installed.versions(tmp_path)
    assert versions.pop("tlsaudit") == project()["version"]
    for name in ("pip", "setuptools"):
        versions.pop(name, None)
    assert versions == {name: pinned.get(name, "not in constraints.txt") for name in versions}
    assert {"trio", "msgspec", "pyopenssl"} <= versions.keys()
    assert versions.keys().isdisjoint({"sslyze", "nassl", "pandas", "numpy", "pytest"})


def test_version_and_help_of_the_installed_command(installed, tmp_path):
    told = installed.run("tlsaudit", "--version", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.split()[-1] == project()["version"]
    shown = installed.run("tlsaudit", "--help", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "tlsaudit demo" in shown.stdout


def test_every_installed_command_shows_its_help(installed, tmp_path):
    listed = installed.run("python", "-c", "import audits.cli; print(*audits.cli.COMMANDS)", cwd=tmp_path)
    assert "scan" in listed.stdout
    for command in listed.stdout.split():
        shown = installed.run("tlsaudit", command, "--help", cwd=tmp_path)
        assert (shown.returncode, shown.stderr) == (0, ""), command


def test_the_demo_runs_where_only_the_wheel_is_installed(installed, tmp_path):
    """From a foreign folder: what is imported is what was installed, and the run is stored where the user stands."""
    where = installed.run(
        "python", "-c", "import audits, scanner; print(audits.__file__, scanner.__file__)", cwd=tmp_path
    )
    assert all(Path(name).is_relative_to(installed.folder) for name in where.stdout.split())
    demo = installed.run("tlsaudit", "demo", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    assert "Traceback" not in demo.stderr
    grades = dict(line.split()[:2] for line in demo.stdout.splitlines()[1:] if line[:1].strip())
    assert grades["must.example"] == "MUST"
    assert grades["notls.example"] == "MAY"
    assert {"MUST_NOPEERMATCH", "INCONCLUSIVE", "NO_MAIL"} <= set(grades.values())
    assert (tmp_path / "tlsaudit.db").exists()
    shown = installed.run("tlsaudit", "show", "must.example", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "S: 220 " in shown.stdout
