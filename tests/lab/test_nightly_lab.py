"""What a night tells, with real parts: a Postfix that demands TLS takes the mail; a full disk harms no store."""

import email
import email.policy
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audits.demo.certificates import new_authority
from audits.nightly.config import Mailing, Night, NightConfig, Security
from audits.nightly.mail import send_mail
from audits.nightly.news import TellError
from audits.store import Store
from tests.audits.nightly.news_factory import loud

from .namespace import lab_folder, require_own_namespaces, run
from .postfix_instance import lay_out, postfix, service

pytestmark = pytest.mark.lab
ADDRESS, NAME = "127.44.0.1", "receiver.test"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Path]:
    """A Postfix on 25, 465 and 587 that refuses clear text and keeps mail in the folder `inbox`."""
    require_own_namespaces()
    with lab_folder() as folder:
        authority = new_authority()
        (folder / "root.pem").write_bytes(authority.root_pem)
        (folder / "chain.pem").write_bytes(authority.credential(NAME).chain_pem)
        (folder / "chain.pem").chmod(0o600)
        owner = pwd.getpwnam("postfix")
        inbox = folder / "inbox"
        inbox.mkdir()
        os.chown(inbox, owner.pw_uid, owner.pw_gid)
        run("ip", "link", "set", "lo", "up")
        main = {
            "myhostname": NAME,
            "mydestination": "",
            "virtual_mailbox_domains": "example.org",
            "virtual_mailbox_base": str(inbox),
            "virtual_mailbox_maps": "static:night/",
            "virtual_uid_maps": f"static:{owner.pw_uid}",
            "virtual_gid_maps": f"static:{owner.pw_gid}",
            "virtual_minimum_uid": "1",
            "virtual_transport": "virtual",
            "smtpd_tls_chain_files": str(folder / "chain.pem"),
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_received_header": "yes",
            "smtpd_peername_lookup": "no",
        }
        services = [f"{ADDRESS}:{port} " + service("inet n", "smtpd", {}) for port in (25, 587)]
        services.append(f"{ADDRESS}:465 " + service("inet n", "smtpd", {"smtpd_tls_wrappermode": "yes"}))
        services.append("virtual unix - n n - - virtual\n")
        lay_out(folder / "postfix", main, services)
        with postfix(folder / "postfix", [(ADDRESS, port) for port in (25, 465, 587)]):
            yield folder


def mailing(**changes) -> Mailing:
    given = {"server": NAME, "to": ("postmaster@example.org",), "sender": "tlsaudit@example.org", "cafile": "root.pem"}
    return Mailing(**given | changes)


def delivered(folder: Path) -> list[Path]:
    return sorted((folder / "inbox" / "night" / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)


def wait_for_mail(folder: Path, number: int) -> None:
    deadline = time.monotonic() + 20
    while len(delivered(folder)) < number:
        assert time.monotonic() < deadline, (folder / "postfix" / "maillog").read_text()
        time.sleep(0.1)


@pytest.fixture(autouse=True, scope="module")
def name_in_hosts(receiver: Path) -> None:
    """The name of the receiver, for the resolver of the C library; /etc is the lab's own here."""
    hosts = receiver / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {NAME}\n")
    run("mount", "--bind", hosts, "/etc/hosts")


@pytest.mark.parametrize(("port", "security"), [(587, Security.STARTTLS), (25, Security.STARTTLS), (465, Security.TLS)])
def test_a_real_server_takes_the_mail_inside_tls(receiver: Path, port: int, security: Security) -> None:
    before = len(delivered(receiver))
    send_mail(loud(), mailing(port=port, security=security), Night(NightConfig(("d",)), receiver, {}))
    wait_for_mail(receiver, before + 1)
    mail = email.message_from_bytes(delivered(receiver)[-1].read_bytes(), policy=email.policy.default)
    assert mail["Subject"].strip().startswith("tlsaudit 2026-11-21: 1 alarm")
    assert "using TLSv1.3" in mail["Received"]
    assert mail["Auto-Submitted"] == "auto-generated"


def test_clear_text_is_refused_by_the_server_and_a_foreign_certificate_by_us(receiver: Path) -> None:
    night = Night(NightConfig(("d",)), receiver, {})
    with pytest.raises(TellError, match="STARTTLS"):
        send_mail(loud(), mailing(security=Security.NONE), night)
    with pytest.raises(TellError, match="CERTIFICATE_VERIFY_FAILED"):
        send_mail(loud(), mailing(cafile=""), night)


def test_a_full_disk_is_told_and_leaves_the_store_whole(receiver: Path) -> None:
    small = receiver / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small)
    command = [
        sys.executable,
        "-P",
        "-m",
        "audits.cli",
        "scan",
        "--store",
        str(small / "s.db"),
        "--depth",
        "policy",
        "-q",
    ]
    command += ["--resolver", "127.0.0.1:9", "--ports", "25", "--interval", "0", "--max-inconclusive", "100"]
    first = subprocess.run([*command, "example.test"], capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    many = [f"{'x' * 50}{number}.{'y' * 60}.{'z' * 60}.test" for number in range(3000)]
    done = subprocess.run([*command, "-"], input="\n".join(many), capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr
    with Store.open(small / "s.db") as store:
        run_info = store.run("latest")
        assert [result.facts.target.entry for result in store.domains(store.runs()[0].id)] == ["example.test"]
        assert run_info.done <= run_info.targets


def test_a_store_that_may_only_be_read_is_told(receiver: Path) -> None:
    folder = receiver / "readonly"
    folder.mkdir()
    with Store.open(folder / "s.db", writing=True):
        pass
    run("mount", "--bind", folder, folder)
    run("mount", "-o", "remount,bind,ro", folder)
    words = ["scan", "--store", str(folder / "s.db"), "-q", "example.test"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "audits.cli", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
