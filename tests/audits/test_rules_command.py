"""`tlsaudit rules` and `tlsaudit baselines`: lists, pages, and names that do not exist."""

import re

import pytest
from click.testing import CliRunner

from audits.baseline import shipped
from audits.cli import cli
from audits.rules import all_rules


def run(*arguments: str):
    return CliRunner().invoke(cli, arguments)


def test_rules_are_listed_one_a_line():
    lines = run("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*all_rules()]
    assert all(re.fullmatch(r"[A-Z0-9]+-\d{3} +\S.*", line) for line in lines)


@pytest.mark.parametrize("id", all_rules())
def test_the_page_of_a_rule(id):
    page = run("rules", id).stdout
    assert page.startswith(f"{id}: {all_rules()[id].title}\n")
    assert "How to mend it:" in page


def test_baselines_are_listed():
    assert [line.split()[0] for line in run("baselines").stdout.splitlines()] == [*shipped()]


@pytest.mark.parametrize("id", shipped())
def test_a_baseline_shows_each_requirement_with_clause_and_doubt(id):
    from audits.baseline import shipped_baseline

    shown = run("baselines", id).stdout
    for question in shipped_baseline(id).questions:
        asked = question.requirement
        (line,) = re.findall(rf"^{re.escape(asked.id)} \(.*$", shown, re.M)
        assert asked.clause in line
        assert ("only advises" in line) == (asked.confidence != "confirmed")


@pytest.mark.parametrize("command", ["rules", "baselines"])
def test_an_unknown_name_is_wrong_use(command):
    done = run(command, "NOPE")
    assert done.exit_code == 2
    assert "NOPE" in done.stderr
