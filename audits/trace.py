"""What `tlsaudit trace` does: the sessions of the policy plan with each address of one host, on stdout."""

from typing import Any

import click
import trio

from audits.cli import EXIT_GATE, CommandFailed
from audits.self_check import default_ehlo, has_ipv6_route
from audits.session_log import SessionLog
from scanner.dns_lookup import Resolver, ResolverError, system_resolvers
from scanner.domain_name import printable
from scanner.egress import EgressBlocked
from scanner.endpoint_probe import Shells
from scanner.facts import BadLine, Target
from scanner.failures import Kind, LocalTroubleError
from scanner.pipeline import ProbedDomain, run_scan
from scanner.settings import ScanSettings
from scanner.targets import target_from_text


def trace_host(host: str, loglevel: int, options: dict[str, Any]) -> int:
    """Prints the sessions with each address of the host; the exit code."""
    target = _target(host)
    try:
        settings = ScanSettings(
            ports=(25,),
            envelope=options["envelope"],
            ehlo=options["ehlo"] or default_ehlo(),
            resolvers=options["resolvers"] or system_resolvers(),
            allow_private=options["allow_private"],
            ipv4=not options["only_v6"],
            ipv6=not options["only_v4"],
            ipv6_route=has_ipv6_route(),
            interval_s=options["interval"],
            jobs=1,
        )
        resolver = Resolver(settings.resolvers)
    except ResolverError as error:
        raise click.UsageError(str(error)) from None
    log = SessionLog(loglevel, click.echo)
    seen: list[ProbedDomain] = []

    async def keep(result: ProbedDomain) -> None:
        seen.append(result)

    shells = Shells(look_up=resolver.look_up, observe=log.observe, tap=log.tap)
    try:
        trio.run(run_scan, [target], settings, shells, keep)
    except (EgressBlocked, LocalTroubleError) as error:
        raise CommandFailed(str(error)) from None
    return _told(seen[0])


def _target(host: str) -> Target:
    """The host as a next-hop in brackets: no MX look-up."""
    if host.split() != [host]:
        raise click.BadParameter("write one host name or address, without spaces", param_hint="HOST")
    name, colon, port = host.rpartition(":") if host.count(":") == 1 else (host, "", "")
    bracketed = host if host.startswith("[") else f"[IPv6:{host}]" if host.count(":") > 1 else f"[{name}]{colon}{port}"
    target = target_from_text(bracketed, "HOST")
    if not isinstance(target, Target):
        why = target.why if isinstance(target, BadLine) else "write a host name or an address"
        raise click.BadParameter(why, param_hint="HOST")
    return target


def _told(result: ProbedDomain) -> int:
    """Says what was not asked, and gives the exit code."""
    if result.facts.route.failure:
        click.echo(printable(str(result.facts.route.failure), 300))
    elif not result.facts.endpoints:
        click.echo(f"{result.facts.target.name} has no address ({result.facts.route.status.value})")
    for ref in result.facts.endpoints:
        if ref.failure:
            hint = " (--allow-private lifts that)" if ref.failure.kind is Kind.ADDRESS_NOT_PUBLIC else ""
            click.echo(f"{ref.endpoint.key}: not contacted: {ref.failure.kind.value}{hint}")
    worked = any(s.handshake and not s.failure for facts in result.endpoints for s in facts.sessions)
    return 0 if worked else EXIT_GATE
