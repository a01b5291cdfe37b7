"""ROBOT, Heartbleed, CCS injection and renegotiation, by sslyze: only for servers one may test (--vulnerabilities).

sslyze starts threads, holds the interpreter's lock and leaks sockets, so it runs in a child process (this module as
`__main__`), one endpoint at a time. It reaches the server only through a relay of ours on loopback: so every
connection is ours, is paced like the others, and is counted.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio

from scanner.answers import Fact
from scanner.deep_facts import VulnerabilityFacts
from scanner.facts import Endpoint, Transport
from scanner.tcp import TcpSocket

TIME_LIMIT_S = 900.0
"""One endpoint, with the pauses between some thirty connections."""
MEMORY_LIMIT_BYTES = 1 << 30
READ_SIZE = 16 * 1024
TESTS = ("robot", "heartbleed", "openssl_ccs_injection", "session_renegotiation")


Carry = Callable[[trio.SocketStream], Awaitable[None]]
"""Carries one connection of sslyze to the server in its turn, and returns when it is over."""


async def vulnerability_facts(endpoint: Endpoint, ehlo: str, carry: Carry) -> tuple[VulnerabilityFacts, ...]:
    """Runs the tests; every connection of sslyze goes through `carry`."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    request = {"port": port, "ehlo": ehlo, "starttls": endpoint.transport is Transport.STARTTLS, "sni": endpoint.sni}
    command = [sys.executable, "-m", "scanner.sslyze_probe", json.dumps(request)]
    with trio.move_on_after(TIME_LIMIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, carry, listeners)
            done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
            nursery.cancel_scope.cancel()
        return _facts(done.returncode, done.stdout, done.stderr)
    return unanswered(f"not finished in {TIME_LIMIT_S:.0f} s")


def doubted(facts: tuple[VulnerabilityFacts, ...]) -> tuple[VulnerabilityFacts, ...]:
    """The answers where the server refused a connection meanwhile: what sslyze then calls "not vulnerable" is open."""
    why = "the server refused connections meanwhile"
    return tuple(
        VulnerabilityFacts(fact.name, Fact.INCONCLUSIVE, why) if fact.vulnerable is Fact.NO else fact for fact in facts
    )


async def relay(near: trio.SocketStream, far: TcpSocket, transport: Transport) -> bool:
    """Copies bytes both ways until one side ends; false where the server greeted with a refusal, or not at all."""
    greeting = b""
    async with far.stream() as server:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            if transport is Transport.STARTTLS:
                greeting = bytes(await server.receive_some(READ_SIZE))
                await near.send_all(greeting)
            async with trio.open_nursery() as nursery:
                for source, sink in ((near, server), (server, near)):
                    nursery.start_soon(_copy, source, sink, nursery.cancel_scope)
    return transport is Transport.IMPLICIT or greeting.startswith(b"220")


async def _copy(source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async for data in source:
            await sink.send_all(data)
    scope.cancel()


def _facts(code: int, out: bytes, err: bytes) -> tuple[VulnerabilityFacts, ...]:
    if code != 0:
        return unanswered(err.decode("utf-8", "replace").strip()[-300:] or f"sslyze ended with {code}")
    answers = json.loads(out)
    return tuple(VulnerabilityFacts(test, Fact(answers[test][0]), answers[test][1]) for test in TESTS)


def unanswered(why: str) -> tuple[VulnerabilityFacts, ...]:
    """All tests inconclusive, for this reason."""
    return tuple(VulnerabilityFacts(test, Fact.INCONCLUSIVE, why) for test in TESTS)


# --- the child -----------------------------------------------------------------------------------------------------


def _child(request: dict[str, Any]) -> dict[str, tuple[str, str]]:
    from sslyze import (
        ProtocolWithOpportunisticTlsEnum,
        ScanCommand,
        Scanner,
        ServerNetworkConfiguration,
        ServerNetworkLocation,
        ServerScanRequest,
    )

    smtp = ProtocolWithOpportunisticTlsEnum.SMTP if request["starttls"] else None
    scan = ServerScanRequest(
        ServerNetworkLocation("127.0.0.1", request["port"], "127.0.0.1"),
        ServerNetworkConfiguration(
            request["sni"] or "127.0.0.1",
            smtp,
            smtp_ehlo_hostname=request["ehlo"] if smtp else None,
            network_timeout=60,
            network_max_retries=1,
        ),
        scan_commands={ScanCommand(test) for test in TESTS},
    )
    scanner = Scanner(per_server_concurrent_connections_limit=1, concurrent_server_scans_limit=1)
    scanner.queue_scans([scan])
    (result,) = scanner.get_results()
    if result.scan_result is None:
        why = str(result.connectivity_error_trace or result.connectivity_status)[-300:]
        return dict.fromkeys(TESTS, (Fact.INCONCLUSIVE.value, why))
    return {test: _verdict(test, getattr(result.scan_result, test)) for test in TESTS}


def _verdict(test: str, attempt: Any) -> tuple[str, str]:
    """yes where sslyze says vulnerable, no where it says not, inconclusive for everything else."""
    found = attempt.result
    if found is None:
        return Fact.INCONCLUSIVE.value, f"{attempt.error_reason}: {str(attempt.error_trace)[-200:]}"
    match test:
        case "robot":
            word = found.robot_result.value
            answer = {"NOT_": Fact.NO, "VULN": Fact.YES}.get(word[:4], Fact.INCONCLUSIVE)
            return answer.value, word
        case "heartbleed":
            return _word(found.is_vulnerable_to_heartbleed), ""
        case "openssl_ccs_injection":
            return _word(found.is_vulnerable_to_ccs_injection), ""
        case _:
            secure = "secure" if found.supports_secure_renegotiation else "no secure"
            detail = f"{secure} renegotiation, {found.client_renegotiations_success_count} by the client accepted"
            return _word(found.is_vulnerable_to_client_renegotiation_dos), detail


def _word(vulnerable: bool) -> str:
    return (Fact.YES if vulnerable else Fact.NO).value


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    print(json.dumps(_child(json.loads(sys.argv[1]))))
