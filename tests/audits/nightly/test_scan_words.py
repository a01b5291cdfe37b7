"""`[scan]` has every option of `tlsaudit scan`, or says where its words belong."""

from pathlib import Path

from audits.nightly.config import Night, NightConfig
from audits.nightly.places import places
from audits.nightly.scan_words import scan_parameters
from audits.scan_command import scan


def parameters(**words):
    return scan_parameters(Night(NightConfig(("d.txt",), scan=words), Path("/x"), {}), "n.toml", places(""))


def test_every_option_of_the_scan_may_be_written_or_is_told_where_it_belongs():
    options = {name.lstrip("-") for option in scan.params for name in option.opts if name.startswith("--")}
    for name in sorted(options):
        _, mistakes = parameters(**{name: object})
        (mistake,) = mistakes
        assert "no option" not in mistake.what, name


def test_options_that_exclude_each_other_are_told():
    _, mistakes = parameters(ports="465")
    assert "25 must be among them" in mistakes[0].what


def test_a_flag_that_is_false_is_left_out():
    given, mistakes = parameters(envelope=False, **{"allow-private": True})
    assert not mistakes
    assert (given["envelope"], given["allow_private"]) == (False, True)
