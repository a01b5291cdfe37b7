"""main.cf, compared with postconf -x -h and postconf -n of the installed Postfix."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.postfix.errors import ConfigError
from audits.postfix.main_cf import parse_main_cf, read_main_cf
from audits.postfix.parameters import machine_names, parse_version
from tests.real_programs import program

from .oracle import config_folder, expanded, run

EXAMPLE = """\
# The documents' own example, with everything that makes reading hard.
compatibility_level = 3.6
smtp_use_tls=yes
smtp_tls_per_site   =   hash:$config_dir/tls_per_site,
   # a comment between a line and its continuation
\ttexthash:${config_dir}/more

config_dir = /etc/postfix
smtp_tls_CAfile = /etc/ssl/${cafile_name:ca}.pem
smtp_tls_loglevel = 0
smtp_tls_loglevel = 1
relayhost = [msa.example.net]:587
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
smtp_tls_note_starttls_offer = ${{$smtp_tls_loglevel} == {1} ? {yes} : {no}}
smtp_tls_exclude_ciphers = aNULL,
  MD5
empty_one =
smtp_tls_cert_file = $empty_one
"""
NAMES = (
    "smtp_use_tls",
    "smtp_tls_per_site",
    "smtp_tls_CAfile",
    "smtp_tls_loglevel",
    "relayhost",
    "smtp_tls_session_cache_database",
    "smtp_tls_note_starttls_offer",
    "smtp_tls_exclude_ciphers",
    "smtp_tls_cert_file",
    "smtp_tls_key_file",
    "smtp_tls_security_level",
    "smtp_tls_policy_maps",
    "smtp_tls_dane_insecure_mx_policy",
    "smtp_tls_fingerprint_digest",
    "smtp_tls_mandatory_protocols",
    "smtputf8_enable",
    "tlsproxy_client_policy_maps",
    "smtp_cname_overrides_servername",
)


def printed(value: str) -> str:
    """A value as postconf prints it."""
    return " ".join(value.split())


def test_values_are_those_of_postconf(tmp_path: Path) -> None:
    main_cf = parse_main_cf(EXAMPLE, "main.cf")
    assert tuple(printed(main_cf.value(name)) for name in NAMES) == expanded(tmp_path, EXAMPLE, *NAMES)


def test_the_output_of_postconf_n_reads_to_the_same_values(tmp_path: Path) -> None:
    config_folder(tmp_path, EXAMPLE)
    output = run(program("postconf", "postfix"), "-c", str(tmp_path), "-n").stdout
    again = parse_main_cf(output, "postconf-n")
    assert tuple(printed(again.value(name)) for name in NAMES) == expanded(tmp_path, EXAMPLE, *NAMES)


def test_every_default_of_3_7_is_the_one_of_the_installed_postfix(tmp_path: Path) -> None:
    config_folder(tmp_path, "")
    lines = run(program("postconf", "postfix"), "-c", str(tmp_path), "-d").stdout.splitlines()
    theirs = {name: value for name, _, value in (line.partition(" =") for line in lines)}
    main_cf = parse_main_cf("", "main.cf")
    known = {name: value for name, value in theirs.items() if name not in machine_names()}
    assert {name: printed(main_cf.raw(name) or "") for name in known} == {n: printed(v) for n, v in known.items()}
    assert len(theirs) - len(known) < 30


VALUES = st.sampled_from(
    ["yes", "$relayhost", "a\n b", "a\n# c\n  b", "", " x ", "${smtp_bind_address:none}", "b = c", "#"]
)
SETTINGS = st.tuples(
    st.sampled_from(["relayhost", "smtp_bind_address", "smtp_tls_CAfile", "mine"]),
    st.sampled_from(["=", " = ", "=\t", " =\n  "]),
    VALUES,
).map("".join)
FILLERS = st.sampled_from(["", "# note", "   ", " # indented note"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(SETTINGS, FILLERS), max_size=8))
def test_any_file_reads_as_postconf_reads_it(tmp_path: Path, lines: list[str]) -> None:
    text = "mail_name = first\n" + "".join(f"{line}\n" for line in lines)
    names = ("mail_name", "relayhost", "smtp_bind_address", "smtp_tls_CAfile")
    theirs = expanded(tmp_path, text, *names)
    try:
        ours = tuple(printed(parse_main_cf(text, "main.cf").value(name)) for name in names)
    except ConfigError:
        ours = None
    assert ours == theirs


@pytest.mark.parametrize("line", ["smtp_use_tls", "= yes", "smtp_use_tls yes", "a b = c"])
def test_a_line_that_is_no_setting_is_an_error_as_for_postconf(line: str, tmp_path: Path) -> None:
    text = f"relayhost = x\n\n{line}\n"
    with pytest.raises(ConfigError, match=r"^main.cf:3: "):
        parse_main_cf(text, "main.cf")
    assert expanded(tmp_path, text, "relayhost") is None


def test_a_loop_is_an_error_with_file_and_line() -> None:
    main_cf = parse_main_cf("a = $b\nb = $a\n\nsmtp_tls_per_site = hash:$a\n", "main.cf")
    with pytest.raises(ConfigError, match=r"^main.cf:4: smtp_tls_per_site: loop of names: \$a -> \$b -> \$a"):
        main_cf.value("smtp_tls_per_site")


def test_a_loop_in_a_parameter_that_nobody_asks_for_harms_nobody() -> None:
    assert parse_main_cf("a = $a\nsmtp_use_tls = yes\n", "main.cf").flag("smtp_use_tls")


@pytest.mark.parametrize("value", ["true", "1", "", "yes # really"])
def test_a_switch_takes_yes_and_no_only(value: str) -> None:
    main_cf = parse_main_cf(f"\nsmtp_enforce_tls = {value}\n", "main.cf")
    with pytest.raises(ConfigError, match=r'^main.cf:2: smtp_enforce_tls = .*: only "yes" and "no"'):
        main_cf.flag("smtp_enforce_tls")


def test_a_switch_may_be_in_capitals() -> None:
    assert parse_main_cf("smtp_enforce_tls = YES\n", "main.cf").flag("smtp_enforce_tls")


def test_what_only_the_host_knows_is_an_error_until_it_is_set() -> None:
    main_cf = parse_main_cf("relayhost = [mx.$mydomain]\n", "main.cf")
    with pytest.raises(ConfigError, match=r"^main.cf:1: relayhost: \$mydomain is not set in this file"):
        main_cf.value("relayhost")
    assert main_cf.with_settings({"myhostname": "mail.example.org"}).value("relayhost") == "[mx.example.org]"
    assert main_cf.with_settings({"myhostname": "mail"}).value("relayhost") == "[mx.localdomain]"


def test_config_directory_is_where_the_file_is() -> None:
    main_cf = parse_main_cf("smtp_tls_per_site = hash:$config_directory/tls\n", "/etc/postfix-out/main.cf")
    assert main_cf.value("smtp_tls_per_site") == "hash:/etc/postfix-out/tls"


def test_changes_count_as_later_lines_and_have_no_line() -> None:
    main_cf = parse_main_cf("smtp_enforce_tls = no\n", "main.cf").with_settings({"smtp_enforce_tls": "yes"})
    assert (main_cf.flag("smtp_enforce_tls"), main_cf.line("smtp_enforce_tls")) == (True, 0)


def test_defaults_follow_the_version() -> None:
    old = parse_main_cf("", "main.cf", parse_version("2.2.9"))
    assert old.flag("smtp_cname_overrides_servername")
    assert old.raw("smtp_tls_security_level") is None
    new = parse_main_cf("compatibility_level = 3.11\n", "main.cf", parse_version("3.11"))
    assert new.value("smtp_tls_security_level") == "may"
    assert parse_main_cf("", "main.cf", parse_version("3.11")).value("smtp_tls_security_level") == ""


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("smtp_use_tls = yes\n")
    main_cf = read_main_cf(str(tmp_path / "main.cf"))
    assert main_cf.flag("smtp_use_tls")
    assert main_cf.path == str(tmp_path / "main.cf")
