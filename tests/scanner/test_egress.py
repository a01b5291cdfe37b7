"""Whether it is the servers that are silent, or this machine that is cut off."""

import pytest

from scanner.egress import ENOUGH, FEWEST, EgressBlocked, EgressWatch
from scanner.facts import Endpoint, SessionFacts
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import HelloStyle


def session(kind: Kind | None = Kind.TIMEOUT, stage: Stage = Stage.CONNECT) -> SessionFacts:
    return SessionFacts(HelloStyle.POSTFIX_MUST, failure=ProbeFailure(stage, kind) if kind else None)


def network(number: int, host: int = 1) -> Endpoint:
    return Endpoint(f"8.8.{number}.{host}", 25)


def test_twenty_silent_networks_stop_the_run():
    watch = EgressWatch()
    for number in range(ENOUGH - 1):
        watch.note(network(number), session())
    with pytest.raises(EgressBlocked, match="20 different networks"):
        watch.note(network(ENOUGH), session())


@pytest.mark.parametrize(
    "answer",
    [
        session(None),
        session(Kind.REFUSED),
        session(Kind.UNREACHABLE),
        session(Kind.TIMEOUT, Stage.GREETING),
        session(Kind.TEMPORARY, Stage.GREETING),
    ],
)
@pytest.mark.parametrize("at", [0, ENOUGH - 1])
def test_one_sign_of_life_and_the_run_goes_on(answer, at):
    watch = EgressWatch()
    for number in range(100):
        watch.note(network(number), answer if number == at else session())
    watch.conclude()


def test_many_silent_addresses_in_one_network_are_one():
    watch = EgressWatch()
    for host in range(1, 200):
        watch.note(network(1, host), session())
    watch.conclude()


@pytest.mark.parametrize("endpoint", [Endpoint("2606:4700::1", 25), Endpoint("8.8.8.8", 465), Endpoint("8.8.8.8", 587)])
def test_other_ports_and_ipv6_say_nothing_either_way(endpoint):
    watch = EgressWatch()
    watch.note(endpoint, session(None))
    for number in range(FEWEST):
        watch.note(network(number), session())
        watch.note(endpoint, session())
    with pytest.raises(EgressBlocked):
        watch.conclude()


@pytest.mark.parametrize(("silent", "blocked"), [(0, False), (1, False), (2, False), (3, True), (19, True)])
def test_a_short_input_is_judged_at_its_end(silent, blocked):
    watch = EgressWatch()
    for number in range(silent):
        watch.note(network(number), session())
    if blocked:
        with pytest.raises(EgressBlocked, match="port 25 seems"):
            watch.conclude()
    else:
        watch.conclude()


def test_what_an_interrupted_run_left_in_flight_may_all_be_silent():
    """Those were the slow ones, and others had answered; one that was moved to a closed network still notices."""
    watch = EgressWatch(in_flight=50)
    for number in range(50):
        watch.note(network(number), session())
    watch.conclude()
    for number in range(50, 69):
        watch.note(network(number), session())
    with pytest.raises(EgressBlocked, match="70 different networks"):
        watch.note(network(69), session())
