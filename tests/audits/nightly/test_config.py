"""The words of a configuration: paths are meant from its folder."""

from pathlib import Path

from audits.nightly.config import ConfigError, Mistake, Night, NightConfig


def test_paths_are_meant_from_the_folder_of_the_file():
    night = Night(NightConfig(("d.txt",)), Path("/etc/tlsaudit"), {})
    assert night.path("d.txt") == Path("/etc/tlsaudit/d.txt")
    assert night.path("/var/lib/x.html") == Path("/var/lib/x.html")
    assert night.path("r/{run}.html", "2026-11-21") == Path("/etc/tlsaudit/r/2026-11-21.html")


def test_an_error_tells_all_mistakes_with_their_lines():
    error = ConfigError((Mistake("n.toml", 3, "one"), Mistake("n.toml", 9, "two")))
    assert str(error) == "n.toml:3: one\nn.toml:9: two"
