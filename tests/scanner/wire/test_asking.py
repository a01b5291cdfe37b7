"""What one answer proves, and what it takes to call silence a refusal."""

import msgspec
import pytest

from scanner.answers import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire.asking import Answer, Asker, PlanStopped, Reply, Verdict, verdict_on
from scanner.wire.code_points import SSL2, SSL3, TLS10, TLS11, TLS12, TLS13
from scanner.wire.events import Alert
from scanner.wire.hello import Hello
from scanner.wire.ledger import Ledger
from scanner.wire.questions import hello_for
from scanner.wire.server_flight import FlightEnd, ServerFlight

HELLO = hello_for(TLS12)
OTHER = hello_for(TLS12, (0x002F,))
RESET = ProbeFailure(Stage.HANDSHAKE, Kind.RESET)
TIMEOUT = ProbeFailure(Stage.HANDSHAKE, Kind.TIMEOUT)
CLOSED = ServerFlight(end=FlightEnd.CLOSED)
WARNED = ServerFlight(end=FlightEnd.CLOSED, alert=Alert(1, 112))
"""unrecognized_name as a warning, which some servers send to every hello, and then the end of the stream."""
TAKEN = ServerFlight(end=FlightEnd.DONE, version=TLS12, suite=0x002F)
BROKEN = ServerFlight(end=FlightEnd.ALERT, version=TLS12, suite=0x002F, alert=Alert(2, 80))
STOPPED = ProbeFailure(Stage.CONNECT, Kind.STOPPED)


def alert(description: int) -> ServerFlight:
    return ServerFlight(end=FlightEnd.ALERT, alert=Alert(2, description))


def asked(asker: Asker, hello: Hello, *answers: Answer) -> tuple[Reply, int]:
    """The reply to a question after these answers, and how many were needed."""
    question = asker.ask_suites(hello)
    left = list(answers)
    try:
        next(question)
        while True:
            question.send(left.pop(0))
    except StopIteration as finished:
        return finished.value, len(answers) - len(left)


@pytest.mark.parametrize(
    ("hello", "answer", "verdict"),
    [
        (HELLO, TAKEN, Verdict.ACCEPTED),
        (HELLO, BROKEN, Verdict.BROKEN),
        (HELLO, ServerFlight(end=FlightEnd.CLOSED, version=TLS12, suite=0x002F), Verdict.BROKEN),
        (HELLO, ServerFlight(end=FlightEnd.DONE, version=TLS12, suite=0x1301), Verdict.OPEN),
        (hello_for(TLS11), TAKEN, Verdict.OPEN),
        (hello_for(SSL2), TAKEN, Verdict.OPEN),
        (HELLO, ServerFlight(end=FlightEnd.SSL2, version=SSL2), Verdict.OPEN),
        (hello_for(SSL2), ServerFlight(end=FlightEnd.SSL2, version=SSL2), Verdict.ACCEPTED),
        (hello_for(SSL2), ServerFlight(end=FlightEnd.SSL2, version=TLS12), Verdict.OPEN),
        (hello_for(SSL2), ServerFlight(end=FlightEnd.SSL2_ERROR), Verdict.REFUSED),
        (HELLO, ServerFlight(end=FlightEnd.SSL2_ERROR), Verdict.DOUBTFUL),
        (HELLO, ServerFlight(end=FlightEnd.NOT_TLS, text=b"454"), Verdict.OPEN),
        *[(HELLO, alert(code), Verdict.REFUSED) for code in (40, 47, 70, 71, 86, 109)],
        *[(HELLO, alert(code), Verdict.DOUBTFUL) for code in (0, 10, 50, 80, 90, 112)],
        (HELLO, CLOSED, Verdict.DOUBTFUL),
        (HELLO, RESET, Verdict.DOUBTFUL),
        (HELLO, ProbeFailure(Stage.GREETING, Kind.CLOSED), Verdict.OPEN),
        (HELLO, ProbeFailure(Stage.CONNECT, Kind.RESET), Verdict.OPEN),
        (HELLO, ProbeFailure(Stage.HANDSHAKE, Kind.PROTOCOL), Verdict.OPEN),
        (HELLO, TIMEOUT, Verdict.OPEN),
    ],
)
def test_what_one_answer_proves(hello, answer, verdict):
    assert verdict_on(hello, answer) is verdict


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([TAKEN], Verdict.ACCEPTED),
        ([alert(40)], Verdict.REFUSED),
        ([TIMEOUT, TAKEN], Verdict.ACCEPTED),
        ([TIMEOUT, alert(40)], Verdict.REFUSED),
        ([TIMEOUT, TIMEOUT], Verdict.OPEN),
        ([TIMEOUT, CLOSED], Verdict.OPEN),
        ([BROKEN, BROKEN], Verdict.BROKEN),
        ([BROKEN, TAKEN], Verdict.ACCEPTED),
        ([BROKEN, CLOSED], Verdict.OPEN),
        ([alert(80), alert(80)], Verdict.REFUSED),
        ([alert(80), alert(50)], Verdict.OPEN),
        ([alert(80), TAKEN], Verdict.ACCEPTED),
        ([CLOSED], Verdict.OPEN),
        ([WARNED], Verdict.OPEN),
        ([ServerFlight(end=FlightEnd.CLOSED, alert=Alert(1, 70))] * 2, Verdict.REFUSED),
    ],
)
def test_what_two_answers_prove_if_nothing_was_taken_up_before(answers, verdict):
    reply, used = asked(Asker(Ledger()), HELLO, *answers)
    assert (reply.verdict, used) == (verdict, len(answers))


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([CLOSED, TAKEN, CLOSED, TAKEN, TAKEN], Verdict.REFUSED),
        ([CLOSED, TAKEN, CLOSED, TAKEN, CLOSED], Verdict.OPEN),
        ([RESET, TAKEN, RESET, TAKEN, TAKEN], Verdict.REFUSED),
        ([WARNED, TAKEN, WARNED, TAKEN, TAKEN], Verdict.REFUSED),
        ([WARNED, TAKEN, TAKEN], Verdict.ACCEPTED),
        ([WARNED, WARNED], Verdict.OPEN),
        ([CLOSED, TAKEN, TAKEN], Verdict.ACCEPTED),
        ([CLOSED, TAKEN, TIMEOUT], Verdict.OPEN),
        ([CLOSED, CLOSED], Verdict.OPEN),
        ([CLOSED, TIMEOUT], Verdict.OPEN),
        ([alert(0), alert(0)], Verdict.OPEN),
        ([alert(0), TAKEN, alert(0), TAKEN, TAKEN], Verdict.REFUSED),
        ([alert(80), TAKEN, alert(80), TAKEN, TAKEN], Verdict.REFUSED),
        ([alert(80), TAKEN, alert(80), TAKEN, alert(80)], Verdict.OPEN),
        ([alert(80), TAKEN, TAKEN], Verdict.ACCEPTED),
        ([alert(80), alert(80)], Verdict.OPEN),
    ],
)
def test_silence_refuses_only_around_an_accepted_hello(answers, verdict):
    asker = Asker(Ledger())
    asked(asker, OTHER, TAKEN)
    reply, used = asked(asker, HELLO, *answers)
    assert (reply.verdict, used) == (verdict, len(answers))


def test_that_not_every_other_connection_fails_is_asked_once():
    asker = Asker(Ledger())
    asked(asker, OTHER, TAKEN)
    asked(asker, hello_for(TLS13), CLOSED, TAKEN, CLOSED, TAKEN, TAKEN)
    assert asked(asker, HELLO, CLOSED, TAKEN, CLOSED)[0].verdict is Verdict.REFUSED


def test_a_server_that_sends_alerts_does_not_refuse_in_silence_but_to_ssl2():
    asker = Asker(Ledger())
    asked(asker, OTHER, TAKEN)
    asked(asker, hello_for(TLS11), alert(70))
    assert asked(asker, HELLO, CLOSED)[0].verdict is Verdict.OPEN
    assert asked(asker, hello_for(SSL2), CLOSED, TAKEN, CLOSED)[0].verdict is Verdict.REFUSED
    assert asker.ledger.versions[SSL2] is Fact.NO


def test_a_vague_alert_counts_as_soon_as_something_is_taken_up_and_else_not():
    for confirmed in (True, False):
        asker = Asker(Ledger())
        asked(asker, hello_for(TLS11), alert(80), alert(80))
        assert asker.ledger.versions[TLS11] is Fact.NO
        if confirmed:
            asked(asker, OTHER, TAKEN)
        asker.take_back()
        assert asker.ledger.versions[TLS11] is (Fact.NO if confirmed else Fact.INCONCLUSIVE)


def test_in_a_version_that_was_taken_up_a_vague_alert_needs_an_acceptance_between():
    asker = Asker(Ledger())
    asked(asker, hello_for(TLS11), msgspec.structs.replace(TAKEN, version=TLS11))
    left = hello_for(TLS11, (0x0035,))
    assert asked(asker, left, alert(80), alert(80))[0].verdict is Verdict.OPEN
    assert asked(asker, hello_for(TLS10), alert(80), alert(80))[0].verdict is Verdict.REFUSED


def test_the_last_word_of_a_plan_confirms():
    asker = Asker(Ledger())
    asked(asker, OTHER, TAKEN)
    asked(asker, hello_for(TLS11), alert(80), alert(80))
    confirming = asker.confirm()
    assert next(confirming) == OTHER
    with pytest.raises(StopIteration):
        confirming.send(TAKEN)
    asker.take_back()
    assert asker.ledger.versions[TLS11] is Fact.NO
    assert list(asker.confirm()) == []


def test_below_a_version_that_was_just_refused_so_once_is_enough():
    asker = Asker(Ledger())
    asked(asker, OTHER, TAKEN)
    asked(asker, hello_for(TLS11), alert(80), alert(80))
    assert asked(asker, hello_for(TLS10), alert(80))[1] == 1
    assert asked(asker, hello_for(SSL3), alert(50), alert(50))[1] == 2
    asked(asker, OTHER, TAKEN)
    assert asked(asker, HELLO, alert(80), alert(80))[1] == 2


def test_three_questions_in_a_row_without_an_answer_end_the_plan():
    asker = Asker(Ledger())
    asked(asker, OTHER, TIMEOUT, TIMEOUT)
    question = asker.ask(HELLO)
    next(question)
    with pytest.raises(PlanStopped):
        question.send(TIMEOUT)
    assert asker.ledger.versions[TLS12] is Fact.INCONCLUSIVE
    assert len(asker.ledger.failures) == 3


def test_three_connections_in_a_row_that_close_in_good_order_end_the_plan():
    asker = Asker(Ledger())
    asked(asker, HELLO, alert(0))
    asked(asker, OTHER, alert(0))
    with pytest.raises(PlanStopped):
        asked(asker, HELLO, alert(0))


def test_an_answer_starts_the_count_again():
    asker = Asker(Ledger())
    asked(asker, OTHER, TIMEOUT, TIMEOUT)
    asked(asker, OTHER, TAKEN)
    assert asked(asker, HELLO, TIMEOUT, TIMEOUT)[0].verdict is Verdict.OPEN


def test_limit_and_stop():
    asker = Asker(Ledger(), limit=1)
    asked(asker, OTHER, TAKEN)
    with pytest.raises(PlanStopped):
        next(asker.ask(HELLO))
    question = Asker(Ledger()).ask(HELLO)
    next(question)
    with pytest.raises(PlanStopped):
        question.send(STOPPED)


def test_only_what_was_sent_is_counted():
    asker = Asker(Ledger())
    question = asker.ask(HELLO)
    next(question)
    with pytest.raises(PlanStopped):
        question.send(STOPPED)
    assert asker.ledger.connections == 0
    assert asker.ledger.failures == [STOPPED]
