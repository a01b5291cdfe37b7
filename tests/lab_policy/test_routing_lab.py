"""Which next-hop mail takes: our reading of transport(5) beside a real trivial-rewrite(8), asked over its socket."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from audits.postfix.main_cf import parse_main_cf
from audits.simulate.routing import SAMPLE_USER, Transport, routing_of
from tests.lab.namespace import bring_up, lab_folder
from tests.lab.postfix_instance import lay_out, postfix, service
from tests.lab.resolver import RESOLVER

pytestmark = pytest.mark.lab
LISTENER = ("127.0.0.1", 2527)
WORDS = re.compile(r"[^, \t]+")
DOMAINS = (
    *("example.org", "sub.example.org", "deep.sub.example.org", "notexample.org", "example.net", "null.example"),
    *("hop.example", "empty.example", "colon.example", "error.example", "list.example", "star.example", "org"),
    *("xn--bcher-kva.example", "h.example", "own.example", "virtual.example", "relayed.example", "a.relayed.example"),
)
TABLES = {
    "plain": (
        "example.org smtp:[mx.example.org]:587\n.example.org relay:outer.example\nsub.example.org :\n"
        "null.example smtp:\nhop.example :[other.example]\nerror.example error:no\n"
        "list.example smtp:a.example, [b.example]\n"
        "colon.example ::\n.example smtp:[all.example]\n"
    ),
    "star": "* smtp:[hub.example]\nexample.org :\n.example.net smtp:x.example\nempty.example relay:\n",
    "upper": "EXAMPLE.ORG smtp:[mx.example.org]\nown.example smtp:[inside.example]\n",
    "address": f"{SAMPLE_USER}@example.org smtp:[one.example]\nexample.org smtp:[two.example]\n",
    "catch": "!/@example\\.(org|net)$/ smtp:[caught.example]\n",
    "everything": "/^[^@]*$/ smtp:[bare.example]\n",
    "pattern": "/@example\\.org$/ smtp:[one.example]\n/^example/ smtp:[never.example]\n/\\.example$/ relay:\n",
}
KINDS = {"pattern": "regexp", "catch": "regexp", "everything": "regexp"}
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"relayhost": "[relay.example]:587"},
    {"default_transport": "relay"},
    {"default_transport": "smtp:[out.example]", "relayhost": "relay.example"},
    {"mydestination": "own.example", "virtual_mailbox_domains": "virtual.example", "relayhost": "relay.example"},
    {"relay_domains": "relayed.example", "relay_transport": "relay:[inner.example]"},
    {"relay_domains": "relayed.example", "relayhost": "[relay.example]", "parent_domain_matches_subdomains": ""},
    {"parent_domain_matches_subdomains": "transport_maps"},
    {"relay_domains": "*", "relay_transport": "relay:[inner.example]"},
    {"mydestination": "$myhostname, localhost.$mydomain, localhost"},
)
CASES = [(table, settings) for table in (*TABLES, "") for settings in SETTINGS]


def options(table: str, settings: dict[str, str], folder: str) -> dict[str, str]:
    listed = {"transport_maps": f"{KINDS.get(table, 'texthash')}:{folder}/{table}"} if table else {}
    return {"mydestination": "", **listed, **settings}


@pytest.fixture(scope="module")
def queue() -> Iterator[Path]:
    """A Postfix with one trivial-rewrite for each case; the directory with their sockets."""
    with lab_folder() as folder:
        bring_up(RESOLVER, folder)
        services = [":".join(map(str, LISTENER)) + " " + service("inet n", "smtpd", {})]
        for number, (table, settings) in enumerate(CASES):
            given = options(table, settings, str(folder))
            services.append(f"ask-{number} " + service("unix -", "trivial-rewrite", given))
        for name, text in TABLES.items():
            (folder / name).write_text(text)
        lay_out(folder / "postfix", {"myhostname": "h.example", "inet_interfaces": "127.0.0.1"}, services)
        with postfix(folder / "postfix", [LISTENER]):
            yield folder / "postfix/queue/private"


class Rewriter:
    """A connection to one trivial-rewrite: null-terminated names and values, an empty one ends each message."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rb")
        self._read()

    def ask(self, domain: str) -> tuple[str, str]:
        """Transport and next-hop for a domain."""
        address = f"{SAMPLE_USER}@{domain}"
        pairs = ("request", "resolve", "sender", "", "address", address)
        self._socket.sendall(b"".join(word.encode() + b"\0" for word in pairs) + b"\0")
        found = self._read()
        return found["transport"], found["nexthop"]

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while name := self._word():
            found.setdefault(name, self._word())
        return found

    def _word(self) -> str:
        word = bytearray()
        while (byte := self._stream.read(1)) not in (b"\0", b""):
            word += byte
        return word.decode()


def test_every_domain_takes_the_next_hop_that_we_say(queue: Path) -> None:
    wrong, asked = [], 0
    for number, (table, settings) in enumerate(CASES):
        text = "compatibility_level = 3.6\nmyhostname = h.example\n"
        main_cf = parse_main_cf(text, "main.cf").with_settings(options(table, settings, ""))
        routing = routing_of(main_cf, lambda path: TABLES[path.rpartition("/")[2]])
        rewriter = Rewriter(queue / f"ask-{number}")
        for domain in DOMAINS:
            transport, hop = rewriter.ask(domain)
            ours = routing.of(domain)
            assert isinstance(ours, Transport)
            asked += 1
            if ours.service in ("local", "virtual") and transport in ("local", "virtual"):
                continue  # not smtp: which of them does not matter here
            if (ours.service, ours.next_hops) != (transport, tuple(WORDS.findall(hop))):
                wrong.append(f"{domain} by {table or 'no table'} {settings}: {transport}:{hop}, we say {ours}")
        rewriter.close()
    print(f"next-hops: {asked} asked, {len(wrong)} wrong")
    assert asked >= 600
    assert not wrong, "\n".join(wrong)
