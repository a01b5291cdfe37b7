"""Extras: what we import of them is what pyproject.toml names, and a missing one says how to install it."""

import re
import tomllib

import pytest

from audits import extras
from audits.extras import EXTRAS, ExtraMissingError, require
from tests.environments import ROOT


def test_packages_are_those_of_pyproject():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, packages in EXTRAS.items():
        assert set(packages) == {re.split(r"[\[<>=]", line)[0] for line in stated[extra]}


def test_what_is_here_passes():
    for extra in EXTRAS:
        require(extra)


def test_what_is_missing_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "frames", ("pandas", "no_such_package"))
    with pytest.raises(ExtraMissingError, match=r"no_such_package is not installed.*pipx install 'tlsaudit\[frames\]'"):
        require("frames")
