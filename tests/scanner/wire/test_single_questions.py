"""Questions with one answer each."""

import msgspec
import pytest

from scanner.answers import Fact
from scanner.wire.code_points import SSL3, TLS11, TLS12, TLS13
from scanner.wire.events import Alert
from scanner.wire.server_flight import FlightEnd, ServerFlight
from scanner.wire.tls_plans import full_plan
from tests.scanner.wire.imaginary_server import TIMEOUT, ImaginaryServer, run

SERVER = ImaginaryServer(
    pairs=((TLS13, 0x1301), (TLS13, 0x1302), (TLS12, 0xC02F), (TLS12, 0xC030), (TLS12, 0x009E)), groups=(29, 23)
)


def facts_with(server, change):
    """The facts of a server whose answers are changed by `change(hello, answer)`."""
    return run(full_plan(), lambda hello: change(hello, server.answer(hello)))[0].facts


def refused(code):
    return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, code))


@pytest.mark.parametrize(
    ("answer", "fact"),
    [(refused(86), Fact.YES), (None, Fact.NO), (refused(40), Fact.INCONCLUSIVE), (TIMEOUT, Fact.INCONCLUSIVE)],
)
def test_fallback_scsv(answer, fact):
    facts = facts_with(SERVER, lambda hello, normal: (answer or normal) if hello.fallback_scsv else normal)
    assert facts.fallback_scsv is fact


def test_fallback_scsv_does_not_apply_to_a_single_version():
    server = ImaginaryServer(pairs=((TLS12, 0xC02F),))
    assert run(full_plan(), server.answer)[0].facts.fallback_scsv is Fact.NOT_TESTED


@pytest.mark.parametrize(("scheme", "fact"), [(0x0201, Fact.YES), (0x0401, Fact.NO), (None, Fact.NO)])
def test_sha1_signatures(scheme, fact):
    def change(hello, normal):
        if not isinstance(normal, ServerFlight) or normal.version != TLS12:
            return normal
        if len(hello.schemes) == 3:
            return refused(40) if scheme is None else msgspec.structs.replace(normal, signed=True, scheme=scheme)
        return msgspec.structs.replace(normal, signed=True, scheme=0x0804)

    assert facts_with(SERVER, change).sha1_signatures is fact


def test_sha1_signatures_seen_on_the_way_need_no_question():
    def change(hello, normal):
        assert len(hello.schemes) != 3
        signed = isinstance(normal, ServerFlight) and normal.version == TLS12
        return msgspec.structs.replace(normal, signed=True, scheme=0x0201) if signed else normal

    assert facts_with(SERVER, change).sha1_signatures is Fact.YES


@pytest.mark.parametrize(("answer", "fact"), [(None, Fact.YES), (refused(47), Fact.NO), (TIMEOUT, Fact.INCONCLUSIVE)])
def test_large_hello(answer, fact):
    facts = facts_with(SERVER, lambda hello, normal: (answer or normal) if hello.pad_to else normal)
    assert facts.large_hello is fact
    assert len(facts.version("TLSv1.2").suites) == 3, "the size is never blamed on the suites"


def test_large_hello_is_asked_apart_where_no_suite_question_could_carry_it():
    server = ImaginaryServer(pairs=((TLS12, 0xC02F),))
    assert run(full_plan(), server.answer)[0].facts.large_hello is Fact.YES


def test_ssl3_alone_has_no_size():
    server = ImaginaryServer(pairs=((SSL3, 0x0005), (SSL3, 0x000A)))
    facts = run(full_plan(), server.answer)[0].facts
    assert facts.large_hello is Fact.NOT_TESTED
    assert facts.complete


def test_preference_is_asked_where_nothing_else_showed_it():
    pairs = ((TLS12, 0x009C), (TLS12, 0x009D), (TLS11, 0x002F))
    for server_order in (True, False):
        server = ImaginaryServer(pairs=pairs, server_order=server_order)
        facts = run(full_plan(), server.answer)[0].facts
        assert facts.version("TLSv1.2").preference == ("server" if server_order else "client")


def test_own_prime_of_a_server_that_ignores_the_named_groups_is_not_asked_for():
    facts = run(full_plan(), SERVER.answer)[0].facts
    assert [dh.ffdhe_offered for dh in facts.dh] == [True]
    assert facts.dh[0].name == ""
