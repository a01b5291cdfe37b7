"""Which connections follow from which answers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.facts import SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, SmtpReply, Stage
from scanner.plans import POLICY_BUDGET, plan_of, policy_plan
from scanner.smtp import SessionRequest
from scanner.tls_facts import HandshakeFacts, HelloStyle

MUST, CLASSIC, LEVEL1 = HelloStyle.POSTFIX_MUST, HelloStyle.CLASSIC, HelloStyle.CLASSIC_LEVEL1
REQUEST = SessionRequest(MUST, ehlo="probe.example.net", envelope=True)
IMPLICIT = msgspec.structs.replace(REQUEST, transport=Transport.IMPLICIT)

OK = SmtpReply(250, ("mx.example.org", "STARTTLS"))
PLAIN = SmtpReply(250, ("mx.example.org",))
READY = SmtpReply(220, ("Ready",))
NEW = HandshakeFacts("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", chain=("00",))
OLD = HandshakeFacts("TLSv1", "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", chain=("00",))
ANONYMOUS = HandshakeFacts("TLSv1.2", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "AECDH-AES128-SHA")


def session(**fields: object) -> SessionFacts:
    return SessionFacts(MUST, **{"greeting": READY, "ehlo": OK, **fields})  # type: ignore[arg-type]


def failed(stage: Stage, kind: Kind, reply: SmtpReply | None = None, **fields: object) -> SessionFacts:
    return session(failure=ProbeFailure(stage, kind, reply=reply), **fields)


def refused_starttls(code: int) -> SessionFacts:
    reply = SmtpReply(code, ("no",))
    return failed(Stage.STARTTLS, Kind.TEMPORARY if code < 500 else Kind.PERMANENT, reply, starttls=reply)


HEALTHY = session(starttls=READY, handshake=NEW, ehlo_tls=PLAIN)
NO_STARTTLS = session(ehlo=PLAIN)
BROKEN = failed(Stage.HANDSHAKE, Kind.TLS, starttls=READY)


def hellos(*answers: SessionFacts, request: SessionRequest = REQUEST) -> list[HelloStyle]:
    """The connections that a plan asks for when these are the answers (the last one repeated)."""
    plan, asked, rest = plan_of(request), [], list(answers)
    try:
        wanted = next(plan)
        while True:
            asked.append(wanted.hello)
            wanted = plan.send(rest.pop(0) if len(rest) > 1 else rest[0])
    except StopIteration:
        return asked


def test_a_healthy_server_gets_one_connection():
    assert hellos(HEALTHY) == [MUST]


@pytest.mark.parametrize(
    "first",
    [
        NO_STARTTLS,
        session(ehlo=SmtpReply(502, ("what?",)), helo=PLAIN),
        refused_starttls(502),
        refused_starttls(454),
        refused_starttls(421),
        failed(Stage.STARTTLS, Kind.CLOSED, starttls=SmtpReply(502, ("never",))),
    ],
)
def test_missing_or_refused_starttls_is_asked_for_a_second_time_alike(first):
    assert hellos(first) == [MUST, MUST]
    assert hellos(first, HEALTHY) == [MUST, MUST]
    assert hellos(first, BROKEN) == [MUST, MUST]


@pytest.mark.parametrize(
    "first",
    [
        failed(Stage.CONNECT, Kind.REFUSED, greeting=None, ehlo=None),
        failed(Stage.CONNECT, Kind.TIMEOUT, greeting=None, ehlo=None),
        failed(Stage.GREETING, Kind.TEMPORARY, SmtpReply(421, ("busy",)), ehlo=None),
        failed(Stage.GREETING, Kind.PERMANENT, SmtpReply(554, ("go away",)), ehlo=None),
        failed(Stage.GREETING, Kind.TIMEOUT, greeting=None, ehlo=None),
        failed(Stage.GREETING, Kind.RESET, greeting=None, ehlo=None),
        failed(Stage.GREETING, Kind.PROTOCOL, greeting=None, ehlo=None),
        failed(Stage.EHLO, Kind.TEMPORARY, SmtpReply(421, ("busy",)), ehlo=SmtpReply(421, ("busy",))),
        failed(Stage.EHLO, Kind.TIMEOUT, ehlo=None),
        failed(Stage.EHLO, Kind.CLOSED, ehlo=None),
        failed(Stage.STARTTLS, Kind.TIMEOUT),
        failed(Stage.STARTTLS, Kind.CLOSED, starttls=SmtpReply(421, ("busy",))),
        failed(Stage.STARTTLS, Kind.CLOSED, starttls=SmtpReply(454, ("not now",))),
        failed(Stage.EHLO_TLS, Kind.TEMPORARY, SmtpReply(421, ("busy",)), starttls=READY, handshake=NEW),
        session(starttls=READY, handshake=NEW, ehlo_tls=PLAIN, mail_tls=SmtpReply(450, ("greylisted",))),
    ],
)
def test_a_server_that_does_not_want_us_now_is_left_alone(first):
    assert hellos(first) == [MUST]


@pytest.mark.parametrize(
    "first",
    [
        BROKEN,
        failed(Stage.HANDSHAKE, Kind.CLOSED, starttls=READY),
        failed(Stage.HANDSHAKE, Kind.RESET, starttls=READY),
        failed(Stage.HANDSHAKE, Kind.TIMEOUT, starttls=READY),
        failed(Stage.EHLO_TLS, Kind.TLS, starttls=READY, handshake=NEW),
        failed(Stage.EHLO_TLS, Kind.CLOSED, starttls=READY, handshake=NEW),
        failed(Stage.EHLO_TLS, Kind.PERMANENT, SmtpReply(550, ("no",)), starttls=READY, handshake=NEW),
        session(starttls=READY, handshake=NEW, ehlo_tls=PLAIN, mail_tls=SmtpReply(550, ("no",))),
    ],
)
def test_broken_tls_is_tried_again_with_a_small_hello(first):
    assert hellos(first, first)[:2] == [MUST, CLASSIC]


@pytest.mark.parametrize("kind", [Kind.CLOSED, Kind.RESET, Kind.TIMEOUT])
def test_what_tls_refuses_to_the_small_hello_alone_is_asked_with_the_first_once_more(kind):
    """It names one curve, which servers need not have; the first connection may have been lost by chance."""
    assert hellos(failed(Stage.HANDSHAKE, kind, starttls=READY), BROKEN) == [MUST, CLASSIC, MUST]
    assert hellos(BROKEN, BROKEN) == [MUST, CLASSIC]


@pytest.mark.parametrize(
    ("second", "more"),
    [
        (HEALTHY, [LEVEL1]),
        (session(starttls=READY, handshake=OLD, ehlo_tls=PLAIN), []),
        (session(starttls=READY, handshake=ANONYMOUS, ehlo_tls=PLAIN), []),
        (failed(Stage.EHLO_TLS, Kind.CLOSED, starttls=READY, handshake=NEW), []),
        (failed(Stage.GREETING, Kind.TEMPORARY, SmtpReply(421, ("busy",)), ehlo=None), []),
    ],
)
def test_the_third_connection_comes_only_where_level_1_could_allow_what_the_second_got(second, more):
    assert hellos(BROKEN, second, HEALTHY) == [MUST, CLASSIC, *more]


def test_tls_at_once_is_one_connection_whatever_comes():
    for first in (HEALTHY, BROKEN, NO_STARTTLS, refused_starttls(454)):
        assert hellos(first, request=IMPLICIT) == [MUST]


def test_only_the_hello_differs_between_the_connections():
    plan = policy_plan(REQUEST)
    requests = [next(plan), plan.send(BROKEN), plan.send(HEALTHY)]
    assert {msgspec.structs.replace(request, hello=MUST) for request in requests} == {REQUEST}


REPLIES = st.one_of(st.none(), st.builds(SmtpReply, st.integers(200, 599), st.just(("text", "STARTTLS"))))
SESSIONS = st.builds(
    SessionFacts,
    st.sampled_from(HelloStyle),
    greeting=REPLIES,
    ehlo=REPLIES,
    helo=REPLIES,
    starttls=REPLIES,
    handshake=st.sampled_from([None, NEW, OLD, ANONYMOUS]),
    mail_tls=REPLIES,
    failure=st.one_of(st.none(), st.builds(ProbeFailure, st.sampled_from(Stage), st.sampled_from(Kind))),
)


@given(st.lists(SESSIONS, min_size=POLICY_BUDGET, max_size=POLICY_BUDGET), st.sampled_from([REQUEST, IMPLICIT]))
def test_no_answers_whatsoever_exceed_the_budget(answers, request_):
    assert 1 <= len(hellos(*answers, request=request_)) <= POLICY_BUDGET


@given(st.lists(SESSIONS, min_size=1, max_size=2))
def test_a_plan_may_be_stopped_at_any_point(answers):
    plan = policy_plan(REQUEST)
    next(plan)
    for answer in answers:
        try:
            plan.send(answer)
        except StopIteration:
            break
    plan.close()


@pytest.mark.parametrize("kind", [Kind.TEMPORARY, Kind.CLOSED, Kind.TIMEOUT])
def test_a_session_that_ends_at_mail_in_clear_is_repeated_without_that_question(kind):
    plan = plan_of(SessionRequest(MUST, envelope=True))
    assert next(plan).mail_in_clear
    second = plan.send(failed(Stage.MAIL, kind))
    assert (second.hello, second.envelope, second.mail_in_clear) == (MUST, True, False)
    third = plan.send(BROKEN)
    assert (third.hello, third.mail_in_clear) == (HelloStyle.CLASSIC, False)
    with pytest.raises(StopIteration):
        plan.send(HEALTHY)


# --- with a server name --------------------------------------------------------------------------------------------

NAMED = msgspec.structs.replace(REQUEST, sni="mx.example.org")
RSA, ECDSA = HelloStyle.RSA_CHAIN, HelloStyle.ECDSA_CHAIN


@pytest.mark.parametrize(("leaf_key", "other"), [("EC", RSA), ("RSA", ECDSA), ("", ECDSA)])
def test_with_a_name_one_more_connection_looks_for_the_other_chain(leaf_key, other):
    seen = msgspec.structs.replace(HEALTHY, handshake=msgspec.structs.replace(NEW, leaf_key=leaf_key))
    assert hellos(seen, request=NAMED) == [MUST, other]


@pytest.mark.parametrize("answers", [(NO_STARTTLS,), (BROKEN,), (failed(Stage.GREETING, Kind.TIMEOUT),)])
def test_without_a_chain_nobody_looks_for_another(answers):
    assert {RSA, ECDSA}.isdisjoint(hellos(*answers, request=NAMED))


@given(st.lists(SESSIONS, min_size=1, max_size=6))
def test_with_a_name_the_budget_is_one_more_and_every_connection_sends_it(answers):
    plan, asked, rest = plan_of(NAMED), [], list(answers)
    try:
        wanted = next(plan)
        while True:
            asked.append(wanted)
            wanted = plan.send(rest.pop(0) if len(rest) > 1 else rest[0])
    except StopIteration:
        pass
    assert len(asked) <= POLICY_BUDGET + 1
    assert {each.sni for each in asked} == {NAMED.sni}
