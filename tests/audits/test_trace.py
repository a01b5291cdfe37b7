"""`tlsaudit trace` against small servers on loopback: what is shown at each level, and how it ends."""

import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.demo.behaviour import Behaviour, Hang, Send, TlsServer, reply
from audits.demo.certificates import new_authority
from tests.audits.sample_records import HOSTILE, OBEYED
from tests.loopback_world import world

HOST = "mx.good.example"
ZONE = {
    HOST: {"A": ["127.0.0.1"]},
    "many.example": {"A": ["127.0.0.1", "192.0.2.7"]},
    "none.example": {"MX": [f"10 {HOST}."]},
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    authority = new_authority()
    good = TlsServer(chains=(authority.credential(HOST).chain_pem,))
    servers = {
        ("127.0.0.1", 1): Behaviour(name=HOST, tls=good),
        ("127.0.0.1", 2): Behaviour(name=HOST),
        ("127.0.0.1", 3): Behaviour(
            name=HOST, greeting=(Send(f"554 {HOSTILE.split(chr(13))[0]}\r\n".encode("latin-1", "replace")),)
        ),
        ("127.0.0.1", 4): Behaviour(name=HOST, greeting=reply(421, "4.7.0 Too many connections")),
        ("127.0.0.1", 5): Behaviour(name=HOST, tls=good, greeting=reply(220, HOST), after_220=(Hang(),)),
    }
    with world(tmp_path_factory.mktemp("trace"), ZONE, servers, authority) as running:
        yield running


def trace(small, number, *arguments, host="127.0.0.1", allow=True):
    """Traces the server of that number, through its real port on loopback."""
    port = small.servers["127.0.0.1", number].port
    options = ["--ehlo", "scanner.example", "--interval", "0", "--resolver", f"127.0.0.1:{small.dns.port}"]
    return CliRunner().invoke(cli, ["trace", f"{host}:{port}", *options, *(["--allow-private"] * allow), *arguments])


def test_the_negotiation_is_shown_and_a_working_session_is_exit_0(small):
    done = trace(small, 1)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "TLS connection established: TLSv1.3" in lines[0]
    assert [line.partition(": ")[2] for line in lines if " C: " in line][:3] == [
        "C: EHLO scanner.example",
        "C: STARTTLS",
        "C: EHLO scanner.example",
    ]


def test_each_level_says_more(small):
    lengths = [len(trace(small, 1, "--loglevel", str(level)).stdout) for level in range(5)]
    assert lengths[0] == 0
    assert lengths == sorted(set(lengths))
    assert "(negotiation)" in trace(small, 1, "--loglevel", "3").stdout
    assert "(inside TLS)" in trace(small, 1, "--loglevel", "4").stdout


def test_envelope_is_asked_inside_too(small):
    assert trace(small, 1, "--envelope").stdout.count("C: MAIL FROM:<>") == 2


@pytest.mark.parametrize(("number", "words"), [(2, "STARTTLS not offered"), (4, "421 4.7.0 Too many connections")])
def test_no_session_inside_tls_is_exit_1(small, number, words):
    done = trace(small, number)
    assert done.exit_code == 1
    assert words in done.stdout


@pytest.mark.parametrize("level", ["1", "2", "4"])
def test_hostile_words_do_nothing_to_the_terminal(small, level):
    done = trace(small, 3, "--loglevel", level)
    assert done.exit_code == 1
    assert "calc" in done.stdout
    assert not set(done.output) & set(OBEYED)


def test_a_name_is_looked_up_without_mx(small):
    assert trace(small, 1, host=HOST).exit_code == 0
    assert trace(small, 1, host=f"[{HOST}]").exit_code == 0
    gone = trace(small, 1, host="none.example")
    assert gone.exit_code == 1
    assert "none.example has no address" in gone.stdout


def test_each_address_is_shown_or_said_to_be_left_alone(small):
    done = trace(small, 1, host="many.example", allow=False)
    assert done.exit_code == 1
    assert done.stdout.count("not contacted: address-not-public (--allow-private lifts that)") == 2


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("not a host", "without spaces"),
        ("mx.example:99999", "HOST"),
        ("", "HOST"),
        ("[192.0.2.1", "HOST"),
        ("a..b", "HOST"),
    ],
)
def test_what_is_no_host_is_wrong_use(host, words):
    done = CliRunner().invoke(cli, ["trace", "--", host])
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_resolver_that_cannot_be_one_is_wrong_use():
    done = CliRunner().invoke(cli, ["trace", "mx.example", "--resolver", "ns.example"])
    assert done.exit_code == 2
    assert "write an address" in done.stderr


def test_ctrl_c_ends_it_without_a_traceback(small):
    host = f"127.0.0.1:{small.servers['127.0.0.1', 5].port}"
    command = [sys.executable, "-P", "-m", "audits.cli", "trace", host, "--allow-private", "--loglevel", "3"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--ehlo", "x.example"], **options) as process:
        assert "(negotiation)" in process.stdout.readline(), "the ClientHello was sent, and no answer comes"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "stopped\n")
