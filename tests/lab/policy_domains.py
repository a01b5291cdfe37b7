"""Domains with an MTA-STS policy (RFC 8461) beside signed and unsigned zones; their policy hosts, by HTTPS."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from msgspec import Struct
from msgspec.structs import replace

from .certificate_states import CHAINS, Authorities

HTTPS = 443
RECORD = '_mta-sts.{}. TXT "v=STSv1; id=1;"'


class PolicyDomain(Struct, frozen=True, kw_only=True):
    """A domain in `test` (signed) or `example` (not), whose MX host is that of a DANE state.

    `lines` stand instead of the records of MTA-STS; {} is the domain.
    """

    name: str
    state: str = "ee-spki"
    zone: str = "test"
    mx: str = ""
    lines: tuple[str, ...] = ()
    address: str = ""

    @property
    def domain(self) -> str:
        return f"{self.name}.{self.zone}"

    @property
    def policy(self) -> str:
        mx = self.mx or f"mx.{self.state}.test"
        return f"version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: 1209600\r\n"

    def zone_lines(self) -> list[str]:
        lines = self.lines or (RECORD, f"mta-sts.{{}}. A {self.address}")
        return [line.replace("{}", self.domain) for line in (f"{{}}. MX 10 mx.{self.state}.test.", *lines)]


_WITHOUT_ADDRESS = (
    PolicyDomain(name="sts-signed"),
    PolicyDomain(name="sts-unsigned", zone="example"),
    PolicyDomain(name="sts-tlsa-mismatch", state="ee-mismatch"),
    PolicyDomain(name="sts-self-signed", state="ee-self-signed"),
    PolicyDomain(name="sts-other-host", mx="mx.other.test"),
    PolicyDomain(name="sts-record-bogus", lines=("_mta-sts.{}. CNAME canary.broken.",)),
    PolicyDomain(name="sts-host-bogus", lines=(RECORD, "mta-sts.{}. CNAME canary.broken.")),
)
POLICY_DOMAINS = tuple(replace(each, address=f"127.60.{at}.1") for at, each in enumerate(_WITHOUT_ADDRESS, 1))


@contextmanager
def policy_servers(folder: Path, domains: Sequence[PolicyDomain], pki: Authorities) -> Iterator[None]:
    """A policy host for each domain, on an address of its own."""
    folder.mkdir()
    with ExitStack() as stack:
        for each in domains:
            chain = folder / f"{each.domain}.pem"
            chain.write_bytes(CHAINS["good-ecdsa"](pki, f"mta-sts.{each.domain}").pem())
            stack.enter_context(policy_server(each.address, each.policy, chain))
        yield


@contextmanager
def policy_server(address: str, policy: str, chain: Path) -> Iterator[None]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/.well-known/mta-sts.txt" else 404)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(policy.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: what was asked is no one's evidence."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with ThreadingHTTPServer((address, HTTPS), Answer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()
