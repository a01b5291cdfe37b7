"""`tlsaudit policy`: output, exit codes, and what is imported when."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audits.policy_cli import policy

MAIN_CF = """\
smtp_enforce_tls = yes
smtp_tls_enforce_peername = no
smtp_tls_CApath = /etc/ssl/certs
smtp_tls_per_site = hash:{folder}/tls_per_site
"""
PER_SITE = "# ours\nexample.org MAY\nmx.example.org NONE\n[msa.example.net]:587 MUST\nexample.net MUST # theirs\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with one table."""
    (tmp_path / "main.cf").write_text(MAIN_CF.format(folder=tmp_path))
    (tmp_path / "tls_per_site").write_text(PER_SITE)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    """Call the command."""
    return CliRunner().invoke(policy, [str(argument) for argument in arguments])


def test_the_level_stands_alone_on_the_first_line_and_the_rules_follow(folder: Path) -> None:
    result = run("resolve", "--main-cf", folder / "main.cf", "--next-hop", "example.org", "--host", "mx.example.org")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "none",
        "main.cf: smtp_enforce_tls = yes and smtp_tls_enforce_peername = no make the global level encrypt.",
        "Next-hop and host differ: the more specific NONE beats MAY.",
        "The value NONE replaces the global level encrypt: none.",
        f"looked up next-hop destination example.org: MAY ({folder}/tls_per_site:2)",
        f"looked up server hostname mx.example.org: NONE ({folder}/tls_per_site:3)",
    ]


@pytest.mark.parametrize(
    ("engine", "arguments", "level"),
    [
        ("2.2.8", ["-o", "smtp_enforce_tls=no"], "may"),
        ("2.2.9", ["-o", "smtp_enforce_tls=no"], "none"),
        ("3", ["-o", "smtp_enforce_tls=no"], "none"),
        ("3", ["-o", "smtp_tls_policy_maps=static:secure"], "secure"),
        ("3", ["-o", "smtp_tls_per_site="], "encrypt"),
    ],
)
def test_engines_and_overrides(engine: str, arguments: list[str], level: str, folder: Path) -> None:
    options = ["--main-cf", folder / "main.cf", "--next-hop", "example.org", "--host", "mx.example.org"]
    result = run("resolve", *options, "--engine", engine, *arguments)
    assert (result.exit_code, result.output.splitlines()[0]) == (0, level)


def test_a_next_hop_in_brackets_names_its_host(folder: Path) -> None:
    result = run("resolve", "--main-cf", folder / "main.cf", "--next-hop", "[msa.example.net]:587")
    assert result.output.splitlines()[0] == "verify"
    assert "server hostname msa.example.net: not found" in result.output


def test_a_domain_needs_a_host(folder: Path) -> None:
    result = run("resolve", "--main-cf", folder / "main.cf", "--next-hop", "example.org")
    assert result.exit_code == 2
    assert "has no brackets" in result.output


@pytest.mark.parametrize("next_hop", ["", "a.example, b.example", "a b"])
def test_one_next_hop_at_a_time(next_hop: str, folder: Path) -> None:
    result = run("resolve", "--main-cf", folder / "main.cf", "--next-hop", next_hop, "--host", "mx.example.org")
    assert result.exit_code == 2


def test_an_invalid_level_tells_what_postfix_does(folder: Path) -> None:
    result = run("resolve", "--main-cf", folder / "main.cf", "--next-hop", "example.net", "--host", "mx.example.net")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "invalid"
    assert "the mail is deferred (4.7.5)" in result.output


def test_a_table_given_as_an_option_is_read_in_place_of_main_cf_s(folder: Path) -> None:
    (folder / "patterns").write_text("/example/ MUST\n")
    (folder / "main.cf").write_text("smtp_tls_per_site = ldap:/etc/postfix/ldap.cf\n")
    for spec, level in ((folder / "tls_per_site", "none"), (f"regexp:{folder}/patterns", "verify")):
        options = ["--main-cf", folder / "main.cf", "--next-hop", "example.org", "--host", "mx.example.org"]
        assert run("resolve", *options, "--per-site", spec).output.splitlines()[0] == level
    assert run("resolve", *options).exit_code == 2
    (folder / "policy").write_text(".org may ciphers=high\n")
    result = run("resolve", *options, "--per-site", spec, "--policy-maps", folder / "policy")
    assert result.output.splitlines()[0] == "may"
    assert "attribute ciphers=high" in result.output
    assert "warning: smtp_tls_per_site ignored" in result.output


def test_json(folder: Path) -> None:
    options = ["--main-cf", folder / "main.cf", "--next-hop", "example.org", "--host", "mx.example.org"]
    decoded = json.loads(run("resolve", *options, "--format", "json").output)
    assert (decoded["level"], decoded["lookups"][1]["key"]) == ("none", "mx.example.org")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"smtp_tls_per_site = hash:$a\na = $b\nb = $a\n", "main.cf:1: smtp_tls_per_site: loop of names"),
        (b"smtp_use_tls = yes\nsmtp_tls_per_site = mysql:x\n", 'main.cf:2: tables of the type "mysql"'),
        (b"a = b\n\0\n", "main.cf:2: NUL byte"),
        (b"a = " + b"x" * 1_000_000, "main.cf:1: line of 1000004 bytes"),
        (b"smtp_use_tls\n", "main.cf:1: "),
        (b"smtp_use_tls = maybe\n", 'main.cf:1: smtp_use_tls = maybe: only "yes" and "no"'),
        (b"smtp_tls_security_level = MUST\n", "no such level"),
    ],
)
def test_bad_input_is_an_error_with_file_and_line_and_exit_code_2(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_bytes(content)
    result = run("resolve", "--main-cf", tmp_path / "main.cf", "--next-hop", "a", "--host", "b")
    assert result.exit_code == 2
    assert words in result.output
    assert not result.output.startswith(("none", "may"))


def test_a_file_that_cannot_be_read_and_an_override_that_is_none() -> None:
    assert run("resolve", "--main-cf", "/nonexistent", "--next-hop", "a", "--host", "b").exit_code == 2
    result = run("resolve", "--main-cf", "/dev/null", "--next-hop", "a", "--host", "b", "-o", "nonsense")
    assert result.exit_code == 2
    assert "-o:" in result.output


def test_lint_of_a_table_says_file_line_severity_and_reason(folder: Path) -> None:
    result = run("lint", folder / "tls_per_site")
    assert result.exit_code == 1
    assert f"{folder}/tls_per_site:5: error: the comment has become part of the value" in result.output
    assert "errors: 1, warnings: 0, notes: 1" in result.output


def test_lint_of_main_cf_reads_its_tables(folder: Path) -> None:
    result = run("lint", folder / "main.cf")
    assert result.exit_code == 1
    assert f"{folder}/tls_per_site:5: error" in result.output
    assert f"{folder}/main.cf:1: info" in result.output


def test_lint_without_errors_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("example.org secure match=nexthop\n")
    result = run("lint", tmp_path / "policy")
    assert (result.exit_code, result.output) == (0, "errors: 0, warnings: 0, notes: 0\n")


def test_lint_follows_the_version_and_the_kind(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("example.org encrypt enable_rpk=yes\n")
    assert run("lint", tmp_path / "policy", "--postfix", "3.7").exit_code == 1
    assert run("lint", tmp_path / "policy", "--postfix", "3.9").exit_code == 0
    assert "[site-value]" in run("lint", tmp_path / "policy", "--kind", "per-site").output
    (tmp_path / "patterns").write_text("/a/ MUST\n/(/ MUST\n")
    assert "[table-pattern]" in run("lint", f"pcre:{tmp_path}/patterns").output


@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "/nonexistent"],
        ["lint", "/dev/null"],
        ["lint", "/dev/null", "--postfix", "x"],
        ["lint"],
        ["checks", "nope"],
    ],
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_lint_as_json(folder: Path) -> None:
    decoded = json.loads(run("lint", folder / "tls_per_site", "--format", "json").stdout)
    assert {"path", "line", "id", "severity", "message", "remedy"} == decoded[0].keys()


def test_every_check_has_a_page() -> None:
    listed = [line.split()[0] for line in run("checks").output.splitlines()]
    assert "value-comment" in listed
    for id in listed:
        result = run("checks", id)
        assert result.exit_code == 0
        assert "Fails:" in result.output
        assert "Passes:" in result.output
        assert "Remedy:" in result.output


def test_the_help_imports_nothing_heavy() -> None:
    code = "import sys, audits.policy_cli; print([m for m in ('msgspec', 'cryptography', 'idna') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_a_terminal_obeys_does_not_reach_it(tmp_path: Path) -> None:
    """A main.cf and its tables may be a stranger's, sent for a look."""
    title = "\x1b]0;owned\x07"
    table = tmp_path / "table"
    table.write_text(f"a.test {title}\nb.test encrypt match{title}={title}\nc.test none {title}\n")
    rows = [f"smtp_tls_policy_maps = texthash:{table}", f"smtp_tls_per_site = hash:/gone{title}", f"{title} = x"]
    main_cf = tmp_path / "main.cf"
    for count in (1, 2, 3):
        main_cf.write_text("".join(f"{row}\n" for row in rows[:count]))
        commands = [["lint", main_cf], ["lint", "--kind", "policy-maps", table]]
        commands += [["resolve", "--main-cf", main_cf, "--next-hop", f"{name}.test", "--host", "mx"] for name in "abc"]
        for command in commands:
            done = CliRunner().invoke(policy, [*map(str, command)])
            assert "\x1b" not in done.output
            assert "owned" in done.output or done.exit_code == 0
