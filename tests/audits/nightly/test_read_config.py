"""Configurations, right and wrong: every mistake with its line and what to write."""

import click
import pytest

from audits.diff_command import diff
from audits.nightly.config import ConfigError, Security, When
from audits.nightly.read_config import MAX_BYTES, MAX_WINDOW, read_config

GOOD = """\
lists = ["domains.txt"]
store = "night.db"

[scan]
depth = "policy"
interval = 0
injection = true
exclude = ["never.txt", "nor.txt"]

[judge]
baseline = ["mozilla-intermediate"]
fail-on = ["fail"]

[report]
html = "{run}.html"

[mail]
server = "mail.example.org"
to = ["postmaster@example.org"]
sender = "tlsaudit@example.org"
on = ["gate"]
"""


@pytest.fixture
def write(tmp_path):
    for name in ("domains.txt", "never.txt", "nor.txt"):
        (tmp_path / name).write_text("example.org\n")

    def write(text: str | bytes):
        file = tmp_path / "night.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_a_good_file_becomes_the_parameters_of_a_scan(write, tmp_path):
    night = read_config(write(GOOD))
    assert (night.scan["depth"], night.scan["interval"], night.scan["injection"]) == ("policy", 0, True)
    assert night.scan["exclude"] == (tmp_path / "never.txt", tmp_path / "nor.txt")
    assert (night.scan["baseline_ids"], night.scan["fail_on"]) == (("mozilla-intermediate",), ("fail",))
    assert night.scan["inputs"] == (str(tmp_path / "domains.txt"),)
    assert night.config.mail is not None
    assert (night.config.mail.on, night.config.mail.security) == ((When.GATE,), Security.STARTTLS)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("domains.txt", "none.txt", 1, "lists: there is no file"),
        ('["domains.txt"]', "[]", 1, "name at least one file"),
        ('store = "night.db"', 'shop = "x"', 2, "there is no 'shop' here"),
        ('depth = "policy"', 'depth = "deep"', 5, "scan.depth: Invalid value"),
        ("interval = 0", 'interval = "fast"', 6, "scan.interval:"),
        ("interval = 0", "interval = [1, 2]", 6, "write one value"),
        ("injection = true", "injection = 1", 7, "write true or false"),
        ("injection = true", "only-v4 = true", 7, "no option --only-v4"),
        ("injection = true", 'output = "x"', 7, "under [report]"),
        ("injection = true", "ports = {}", 7, "write text or a number"),
        ('"mozilla-intermediate"', '"nonsense"', 10, "there is no baseline 'nonsense'"),
        ('fail-on = ["fail"]', 'fail-on = ["nonsense"]', 10, "'nonsense' is no verdict"),
        ('fail-on = ["fail"]', 'fail_on = ["fail"]', 12, "there is no 'fail_on' here"),
        ("{run}.html", "none/{run}.html", 15, "there is no folder"),
        ('server = "mail.example.org"', "", 17, "server"),
        ('["postmaster@example.org"]', "[]", 19, "mail.to: name at least one address"),
        ('on = ["gate"]', 'on = ["never"]', 21, "'never'"),
        ('on = ["gate"]', 'security = "ssl"', 21, "'ssl'"),
        ('on = ["gate"]', 'password-file = "none"', 21, "mail.password-file: there is no file"),
        ("tlsaudit@example.org", r"a@b\r\nBcc: c@d", 17, "sender and to are addresses"),
        ('on = ["gate"]', "port = 0", 21, "mail.port"),
        ('on = ["gate"]', "[diff]\nseverity = 'loud'", 22, "write one of information, notice"),
        ('on = ["gate"]', "[diff]\nwindow = 0", 22, "write 1 to 30"),
        ('on = ["gate"]', "[diff]\nwindow = 31", 22, "write 1 to 30"),
        ('["postmaster@example.org"]', '"a@b.example"', 19, 'write to = ["postmaster@example.org"]'),
        ('["mozilla-intermediate"]', '"x"', 11, 'write a list: baseline = ["..."]'),
        ('["fail"]', "[3]", 12, 'write a list: fail-on = ["..."]'),
        ('on = ["gate"]', "on = 'gate'", 21, 'write on = [...] with some of "change", "gate", "always"'),
        ('on = ["gate"]', "on = ['never']", 21, "write one of change, gate, always"),
        ('on = ["gate"]', "security = 'ssl'", 21, "write one of starttls, tls, none"),
        ('on = ["gate"]', "security = 1", 21, 'write one of "starttls", "tls", "none"'),
        ('on = ["gate"]', "port = '25'", 21, "write a whole number without quotation marks"),
        ('"{run}.html"', "3", 15, 'write text in quotation marks: html = "..."'),
        ('on = ["gate"]', "[keep]\ndays = true", 22, "write a whole number"),
        ('store = "night.db"', "log-json = 1", 2, "write true or false"),
        ('store = "night.db"', "keep = 1", 2, "write a table: [keep]"),
        ('on = ["gate"]', "[keep]\ndays = -1", 22, "keep: days"),
        ('on = ["gate"]', "[webhook]\nurl = 'ftp://x'", 22, "write https://"),
        ("{run}.html", ".", 15, "is a folder: name a file in it"),
        ("{run}.html", "night.db", 2, "is the file of report.html: name another"),
        ("{run}.html", "domains.txt", 15, "is the file of lists: name another"),
        ("{run}.html", "night.toml", 15, "is the file of this configuration"),
        ("{run}.html", r"a\u0000b", 15, "this is no name of a file"),
        ("night.db", "", 2, "this is no name of a file"),
        ("domains.txt", "~nobody-of-this-name/d.txt", 1, "lists: there is no file"),
        ("never.txt", "none.txt", 8, "scan.exclude: there is no file"),
        ("postmaster@example.org", '\\"a@b', 17, "sender and to are addresses"),
        ("tlsaudit@example.org", "a@", 17, "sender and to are addresses"),
        ("tlsaudit@example.org", "(a@b.c", 17, "sender and to are addresses"),
        ('on = ["gate"]', "[keep]\ndays = 99999999", 22, "keep: days"),
        ('on = ["gate"]', "[webhook]\nurl = 'https://a b/'", 22, "write https://"),
        ('on = ["gate"]', "[webhook]\nurl = 'https://a:x/'", 22, "write https://"),
        ('on = ["gate"]', "[webhook]\nurl = 'https://'", 22, "write https://"),
    ],
)
def test_a_mistake_is_told_with_its_line(write, old, new, line, said):
    assert old in GOOD
    with pytest.raises(ConfigError) as error:
        read_config(write(GOOD.replace(old, new)))
    assert said in str(error.value)
    assert [mistake.line for mistake in error.value.mistakes if said in mistake.what] == [line]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(write):
    changes = {
        "domains.txt": "no.txt",
        'store = "night.db"': "colour = 1",
        '"policy"': '"deep"',
        '"mozilla-intermediate"': '"nonsense"',
        "{run}": "no/{run}",
        'server = "mail.example.org"': "",
    }
    wrong = GOOD
    for old, new in changes.items():
        wrong = wrong.replace(old, new)
    with pytest.raises(ConfigError) as error:
        read_config(write(wrong))
    assert [mistake.line for mistake in error.value.mistakes] == [1, 2, 5, 10, 15, 17]


def test_several_mistakes_in_one_table_are_told_at_once(write):
    wrong = GOOD.replace('on = ["gate"]', 'on = ["never"]\nsecurity = "ssl"\nport = "x"\nfoo = 1')
    with pytest.raises(ConfigError) as error:
        read_config(write(wrong))
    assert [mistake.line for mistake in error.value.mistakes] == [21, 22, 23, 24]


def test_a_mistake_in_a_table_hides_no_other_in_it(write):
    changes = {
        "tlsaudit@example.org": "no address",
        'on = ["gate"]': 'on = ["never"]\nport = 0\npassword-file = "none"\n[webhook]\nurl = "ftp://x"\non = 1',
        '["postmaster@example.org"]': '"x"',
    }
    wrong = GOOD
    for old, new in changes.items():
        wrong = wrong.replace(old, new)
    with pytest.raises(ConfigError) as error:
        read_config(write(wrong))
    assert [mistake.line for mistake in error.value.mistakes] == [17, 19, 21, 22, 23, 25, 26]


def test_the_window_is_that_of_diff():
    (window,) = (option for option in diff.params if option.name == "window")
    assert isinstance(window.type, click.IntRange)
    assert (window.type.min, window.type.max) == (1, MAX_WINDOW)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"a = 1\nb = ", 2, "no TOML"),
        (b"a = 1\n\xff", 2, "not UTF-8"),
        (b"", 1, "lists: it is missing: write lists = ["),
        (b"lists = ['x']\n[mail]\n", 2, "mail.server: it is missing: write server = "),
        (b"lists = 3", 1, "lists"),
        (b"x = " + b"[" * 50_000, 1, "no TOML"),
        (b"[keep]\ndays = " + b"9" * 5000, 2, "no TOML"),
        (b"x" * (MAX_BYTES + 1), 1, "larger than"),
    ],
)
def test_what_is_no_configuration_is_told(write, content, line, said):
    with pytest.raises(ConfigError) as error:
        read_config(write(content))
    assert line in [mistake.line for mistake in error.value.mistakes if said in str(mistake)]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_config(tmp_path / "none.toml")
