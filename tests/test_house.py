"""The rules of the house as tests: mirrored tests, small files and functions, light imports, documented commands."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import audits
import scanner
from audits.cli import COMMANDS, cli
from tests.environments import ROOT

PACKAGES = ("scanner", "audits")
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 5
CATCH_ALL = {"scanner/sslyze_probe.py": "sslyze raises anything"}
"""The one place where `except Exception` may stand, and why."""
HANDED_ON = {"audits/demo_command.py": "handed to the thread that waits, which raises it"}
"""Where `except BaseException` may stand without a `raise` in it."""
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
HEAVY = {"trio", "rich", "sqlalchemy", "OpenSSL", "pandas", "cryptography", "dns", "sslyze"}

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULES = sorted(file.relative_to(ROOT) for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
SOURCES = sorted(
    file.relative_to(ROOT) for folder in (*PACKAGES, "tests", "data") for file in (ROOT / folder).rglob("*.py")
)


def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(), str(file))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its words: ("policy resolve", ...), groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*above, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


# --- files and functions -------------------------------------------------------------------------------------------


def test_every_module_has_its_mirrored_test():
    mirrored = {file: Path("tests") / file.parent / f"test_{file.name}" for file in MODULES if file.stem != "__init__"}
    missing = [f"{test} for {file}" for file, test in mirrored.items() if not (ROOT / test).exists()]
    assert not missing, "there is no\n  " + "\n  ".join(missing)


def test_files_are_short():
    long = {file.as_posix(): len((ROOT / file).read_text().splitlines()) for file in SOURCES}
    assert not {file: lines for file, lines in long.items() if lines > MAX_LINES}


def test_functions_are_short_and_take_few_parameters():
    long, broad = [], []
    for file in SOURCES:
        for function in functions(file):
            where = f"{file}:{function.lineno} {function.name}"
            if (lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES:
                long.append(f"{where}: {lines} lines")
            given = function.args
            named = [
                a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs) if a.arg not in ("self", "cls")
            ]
            if len(named) > MAX_PARAMETERS:
                broad.append(f"{where}: {len(named)} parameters")
    assert not long, "\n".join(long)
    assert not broad, "\n".join(broad)


def test_every_module_says_what_it_is_for():
    silent = [f"{file}" for file in SOURCES if (ROOT / file).stat().st_size and not ast.get_docstring(tree(file))]
    assert not silent


def test_no_module_is_named_after_nothing():
    assert not [f"{file}" for file in SOURCES if file.stem.strip("_") in NAMES_OF_NOTHING]


def test_nothing_catches_everything():
    """An `except Exception` hides our own bugs; `except BaseException` may only clean up and raise again."""
    guilty = []
    for file in MODULES:
        for handler in (node for node in ast.walk(tree(file)) if isinstance(node, ast.ExceptHandler)):
            caught = (
                {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {""}
            )
            raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
            blind = "Exception" in caught and file.as_posix() not in CATCH_ALL
            swallowing = caught & {"", "BaseException"} and not raises and file.as_posix() not in HANDED_ON
            if blind or swallowing:
                guilty.append(f"{file}:{handler.lineno}")
    assert not guilty


def test_cores_await_nothing():
    """The modules that import-linter keeps free of sockets and clocks hold no coroutine either."""
    (contract,) = (c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["name"].startswith("Cores hold no"))
    cores = tuple(module.replace(".", "/") for module in contract["source_modules"])
    files = [file for file in MODULES if file.with_suffix("").as_posix().startswith(cores)]
    assert len(files) >= len(cores)
    waiting = [
        f"{file}:{node.lineno}"
        for file in files
        for node in ast.walk(tree(file))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
        and file.with_suffix("").as_posix() in cores
    ]
    assert not waiting


def test_no_file_names_a_place_that_only_we_have():
    """Neither folders of a developer's machine nor the address of a package index."""
    private = re.compile("|".join(("/" + "work/", "/" + "home/[a-z]", "index" + "-url", "pypi" + r"\.[a-z]")))
    texts = [file for file in (*SOURCES, *(f.relative_to(ROOT) for f in ROOT.glob("*.*"))) if (ROOT / file).is_file()]
    readable = (f for f in texts if f.suffix in (".py", ".md", ".toml", ".txt") or f.name == "Makefile")
    assert not [f"{file}" for file in readable if private.search((ROOT / file).read_text())]


# --- imports -------------------------------------------------------------------------------------------------------


def loaded_by(*arguments: str) -> set[str]:
    """The top-level packages in memory after the command with these arguments printed its help."""
    script = (
        "import json, sys; from audits.cli import cli\n"
        "try: cli.main(sys.argv[1:], prog_name='tlsaudit')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: tlsaudit" in done.stdout
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    """So it answers at once; modules are counted and not seconds, because machines differ."""
    assert not loaded_by(*arguments, "--help") & HEAVY


def test_sslyze_and_pandas_are_loaded_by_those_who_need_them_only():
    script = "import audits.scan, audits.show, audits.trace, sys; print({'sslyze', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- what people read ----------------------------------------------------------------------------------------------


def test_every_command_is_in_the_readme_and_has_help():
    readme = (ROOT / "README.md").read_text()
    known = dict(commands(cli))
    assert {"scan", "demo", "show", "runs", "trace", "policy", "schema"} <= known.keys()
    assert not [name for name in known if f"`tlsaudit {name}" not in readme]
    assert not [name for name, command in known.items() if not (command.help or "").strip()]


def test_every_option_has_help():
    bare = [
        f"tlsaudit {name} {param.opts[-1]}"
        for name, command in commands(cli)
        for param in command.params
        if isinstance(param, click.Option) and not param.help
    ]
    assert not bare


def test_every_option_the_readme_names_exists():
    known = {opt for _, command in commands(cli) for param in command.params for opt in param.opts} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (ROOT / "README.md").read_text()))
    assert named
    assert named <= known


def test_help_in_the_list_is_the_help_of_the_command():
    """The list of commands stands apart, so that it imports none; it must not tell of commands that are not there."""
    assert [name for name, _ in commands(cli) if " " not in name] == list(COMMANDS)
    assert all(words.endswith(".") for _, words in COMMANDS.values())


# --- who we are ----------------------------------------------------------------------------------------------------


def test_both_packages_know_their_distribution():
    assert {audits.DISTRIBUTION, scanner.DISTRIBUTION} == {PYPROJECT["project"]["name"]} == {"tlsaudit"}


def test_the_licence_is_there_and_is_the_one_we_state():
    text = (ROOT / "LICENSE").read_text()
    assert text.split("\n", 2)[0].strip() == "GNU AFFERO GENERAL PUBLIC LICENSE"
    assert "Version 3, 19 November 2007" in text
    assert "13. Remote Network Interaction" in text
    assert PYPROJECT["project"]["license"] == "AGPL-3.0-or-later"
    assert PYPROJECT["project"]["license-files"] == ["LICENSE"]
    assert "AGPL-3.0-or-later" in (ROOT / "README.md").read_text()


def test_constraints_pin_every_dependency():
    pins = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", pins, re.MULTILINE))
    needed = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    needed += [line for extra in PYPROJECT["project"]["optional-dependencies"].values() for line in extra]
    assert {re.split(r"[<>=!~;\[ ]", line.lower())[0].replace("_", "-") for line in needed} <= pinned
