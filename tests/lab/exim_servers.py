"""Exim, unpacked beside Postfix and never installed: one daemon, whose options are looked up by the address called."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .namespace import add_user
from .processes import running, wait_for_ports
from .states import Placed

CACHE = Path(os.environ.get("TLSAUDIT_LAB_CACHE") or Path.home() / ".cache/tlsaudit-lab")
PROGRAM = CACHE / "root/usr/sbin/exim4"
USER = "Debian-exim"
MOMENTS = ("connect", "helo", "starttls", "mail")

CONFIGURATION = """\
primary_hostname = exim.receiver.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%s
pid_file_path = {folder}/pid
local_interfaces = <; {interfaces}
daemon_smtp_ports = 25
host_lookup =
rfc1413_hosts =
smtp_accept_max = 500
helo_accept_junk_hosts = *
queue_only = true
keep_environment =
log_selector = +tls_cipher +received_recipients +incoming_interface +smtp_connection
tls_advertise_hosts = {advertise}
tls_verify_hosts = {demand_certificate}
tls_try_verify_hosts = {ask_certificate}
tls_verify_certificates = {root}
tls_certificate = {certificate}
tls_privatekey = {certificate}
tls_require_ciphers = {priority}
{acls}
acl_smtp_rcpt = always

begin acl
always:
  accept
never:
  deny message = Never
later:
  defer message = Later
drop_it:
  drop message = Go away
slowly:
  accept delay = 3s
tls_only:
  deny !encrypted = *
       message = 530 5.7.0 STARTTLS first
  accept
clear_only:
  deny encrypted = *
       message = Not in TLS
  accept

clear_helo_only:
  deny condition = ${{if def:tls_in_cipher}}
       message = Not in TLS
  accept

begin routers
everything:
  driver = redirect
  data = :blackhole:
"""


def libraries() -> str:
    """Where the libraries lie that came with Exim, as a setting for env(1)."""
    folders = (CACHE / "root/usr/lib", *CACHE.glob("root/usr/lib/*-linux-gnu"))
    return f"LD_LIBRARY_PATH={':'.join(map(str, folders))}"


def exim_starts() -> bool:
    """Whether Exim is unpacked, with every library it needs."""
    if not PROGRAM.exists():
        return False
    linked = subprocess.run(["env", libraries(), "ldd", PROGRAM], capture_output=True, text=True, check=False)
    return linked.returncode == 0 and "not found" not in linked.stdout


@contextmanager
def exim_servers(folder: Path, states: list[Placed], certificates: Path) -> Iterator[Path]:
    """All Exim states, listening; its main log, where every message taken shows its cipher."""
    add_user(folder.parent, USER)
    folder.mkdir()
    for name in ("spool", "log"):
        (folder / name).mkdir(mode=0o777)
        (folder / name).chmod(0o777)
    config, log = folder / "exim.conf", folder / "exim.out"
    config.write_text(configuration(folder, states, certificates))
    with running(["env", libraries(), PROGRAM, "-C", config, "-bdf"], log) as child:
        wait_for_ports(child, [(each.address, 25) for each in states], log)
        yield folder / "log/main"


def configuration(folder: Path, states: list[Placed], certificates: Path) -> str:
    """exim.conf, and beside it one table for each option, from address to value."""
    files = {each.address: chain_files(each, certificates) for each in states}

    def table(name: str, otherwise: str) -> str:
        values = {each.address: each.state.options[name] for each in states if name in each.state.options}
        return lookup(folder / f"{name}.table", values, otherwise)

    return CONFIGURATION.format(
        folder=folder,
        interfaces=" ; ".join(each.address for each in states),
        root=certificates / "root.pem",
        certificate=lookup(folder / "certificate.table", files, ""),
        priority=table("priority", "NORMAL"),
        advertise=f"${{if eq{{{table('advertise', 'yes')}}}{{yes}}{{*}}{{}}}}",
        ask_certificate=f"${{if eq{{{table('ask_certificate', 'no')}}}{{yes}}{{*}}{{}}}}",
        demand_certificate=f"${{if eq{{{table('demand_certificate', 'no')}}}{{yes}}{{*}}{{}}}}",
        acls="\n".join(f"acl_smtp_{moment} = {table(moment, 'always')}" for moment in MOMENTS),
    )


def chain_files(placed: Placed, certificates: Path) -> str:
    """The files of a state's chains, in Exim's list form; key and chain stand in one file."""
    state = placed.state
    made = " : ".join(str(certificates / state.domain / f"{name}.pem") for name in state.chains)
    return state.options.get("certificate", made)


def lookup(table: Path, values: dict[str, str], otherwise: str) -> str:
    """Write a table; the expansion that reads it."""
    table.write_text("".join(f"{address}: {value}\n" for address, value in values.items()))
    return f"${{lookup{{$received_ip_address}}lsearch{{{table}}}{{$value}}{{{otherwise}}}}}"
