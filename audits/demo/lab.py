"""The embedded lab: domains in different TLS states, served on loopback, reached by the real scanner's real sockets.

Only two things are not as in real life: the resolver is the lab's own, and the connector maps the addresses of the
lab's MX hosts to loopback ports. 127.0.0.1 alone suffices; no root, no internet.
"""

import errno
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio
from msgspec import Struct

from audits.demo.certificates import new_authority
from audits.demo.dns_server import DnsServer, serve_dns
from audits.demo.policy_server import PolicyServer, serve_policy
from audits.demo.smtp_server import SmtpServer, serve
from audits.demo.states import LabDomain, lab_domains, lab_zone, signed_names
from scanner.settings import POLICY_PORT
from scanner.tcp import Connector, TcpSocket, connect_tcp

__all__ = ["Lab", "LabDomain", "demo_lab"]


class Lab(Struct, frozen=True, kw_only=True):
    """The running lab. `servers` by (address, port) as the DNS has them, before the connector maps them.

    The addresses are documentation addresses: a scan needs --allow-private to contact them, `cafile` to trust the lab's
    authority, and --dnssec-canary with the lab's names to believe its name server.
    """

    resolver: tuple[str, int]
    connect: Connector
    cafile: Path
    domains: tuple[LabDomain, ...]
    dns: DnsServer
    servers: dict[tuple[str, int], SmtpServer]

    @property
    def resolver_text(self) -> str:
        """The resolver as --resolver takes it."""
        return f"{self.resolver[0]}:{self.resolver[1]}"


@asynccontextmanager
async def demo_lab() -> AsyncIterator[Lab]:
    """Starts the lab and stops it at the end. An exception of the caller's passes through as it is, in no group."""
    authority = new_authority()
    domains = lab_domains(authority)
    with tempfile.TemporaryDirectory(prefix="tlsaudit-demo-") as folder:
        cafile = Path(folder) / "demo-root.pem"
        cafile.write_bytes(authority.root_pem)
        try:
            async with trio.open_nursery() as nursery:
                dns = await nursery.start(partial(serve_dns, lab_zone(domains), signed=signed_names(domains)))
                servers = {
                    (host.address, port): await nursery.start(serve, behaviour)
                    for domain in domains
                    for host in domain.hosts
                    for port, behaviour in host.servers.items()
                }
                policies = {
                    (policy.address, POLICY_PORT): await nursery.start(
                        serve_policy, policy.credential.chain_pem, policy.text
                    )
                    for policy in (domain.policy for domain in domains)
                    if policy
                }
                yield Lab(
                    resolver=(dns.address, dns.port),
                    connect=lab_connector(servers | policies),
                    cafile=cafile,
                    domains=domains,
                    dns=dns,
                    servers=servers,
                )
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            single = group.exceptions[0]
            raise single from single.__cause__


def lab_connector(servers: Mapping[tuple[str, int], SmtpServer | PolicyServer]) -> Connector:
    """A connector that knows only these servers and refuses every other address and port."""

    async def connect(address: str, port: int) -> TcpSocket:
        server = servers.get((address, port))
        if server is None:
            await trio.lowlevel.checkpoint()
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return await connect_tcp(server.address, server.port)

    return connect
