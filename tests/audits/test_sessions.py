"""What several sessions establish together, and that less information never makes a firmer answer."""

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from audits.grade import endpoint_verdict
from audits.levels import LevelAnswer
from audits.sessions import Starttls, observed
from audits.verdicts import EndpointVerdict
from scanner.facts import EndpointFacts, Fact, Level, SessionFacts
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.smtp import SessionRequest
from scanner.tls_facts import OTHER_CHAINS, HelloStyle
from tests.audits.session_factory import (
    ANONYMOUS,
    BROKEN_TLS,
    DEMANDS_TLS,
    GOOD,
    NO_CERTIFICATE,
    NO_TLS,
    OLD,
    OLD_TLS,
    PLAIN,
    REPLIES,
    SILENT,
    Conversation,
    Server,
    any_server,
    asked,
    conversations,
    facts_of,
    handshake,
    reference,
    reply,
    session,
    trusting,
)

YES, NO, OPEN = Fact.YES, Fact.NO, Fact.INCONCLUSIVE
OTHER_CURVE = Server(classic=Kind.TLS)
"""Without the one curve of the small hello: P-384 alone, or an ECDSA certificate with it below TLS 1.3."""


def test_a_healthy_server_is_settled_by_one_session():
    seen = observed(asked(GOOD))
    assert (seen.clear, seen.starttls, seen.tls0, seen.tls1) == (YES, Starttls.ACCEPTED, YES, YES)
    assert (seen.answered, seen.handshake, seen.breaks, seen.differ) == (True, True, NO, False)
    assert seen.deciding is not None
    assert seen.failure is None


def test_no_session_establishes_nothing():
    seen = observed(facts_of())
    assert (seen.answered, seen.handshake, seen.differ, seen.deciding) == (False, False, False, None)
    assert {seen.clear, seen.tls0, seen.tls1, seen.breaks} == {OPEN}
    assert seen.starttls is Starttls.UNSETTLED


@pytest.mark.parametrize(
    ("servers", "starttls"),
    [
        ((NO_TLS,), Starttls.NOT_OFFERED),
        ((Server(ehlo=reply(502)),), Starttls.NOT_OFFERED),
        ((Server(ehlo=reply(450)),), Starttls.DEFERRED),
        ((Server(starttls=reply(454)),), Starttls.DEFERRED),
        ((Server(starttls=reply(502)),), Starttls.REFUSED),
        ((Server(starttls=reply(354)),), Starttls.REFUSED),
        ((Server(starttls=reply(502), reset_refused=Kind.CLOSED),), Starttls.REFUSED_AND_CLOSED),
        ((Server(starttls=reply(454), reset_refused=Kind.CLOSED),), Starttls.UNSETTLED),
        ((Server(starttls=reply(502), reset_refused=Kind.TIMEOUT),), Starttls.UNSETTLED),
        ((Server(starttls=Kind.TIMEOUT),), Starttls.UNSETTLED),
        ((NO_TLS, Server(connect=Kind.TIMEOUT)), Starttls.UNSETTLED),
        ((NO_TLS, GOOD), Starttls.UNSETTLED),
        ((BROKEN_TLS, NO_TLS), Starttls.UNSETTLED),
        ((BROKEN_TLS, Server(starttls=Kind.TIMEOUT)), Starttls.ACCEPTED),
        ((Server(mail=Kind.CLOSED), NO_TLS), Starttls.NOT_OFFERED),
    ],
)
def test_what_a_server_does_about_starttls(servers, starttls):
    assert observed(asked(*servers)).starttls is starttls


def test_sessions_that_contradict_each_other_differ():
    assert observed(asked(NO_TLS, GOOD)).differ
    assert observed(asked(NO_TLS, Server(ehlo=PLAIN, mail=reply(550)))).differ
    assert not observed(asked(NO_TLS, Server(greeting=reply(421)))).differ
    assert not observed(asked(BROKEN_TLS, Server(starttls=Kind.TIMEOUT))).differ


@pytest.mark.parametrize(
    ("servers", "level0", "level1"),
    [
        ((OLD_TLS,), YES, NO),
        ((NO_CERTIFICATE,), YES, NO),
        ((Server(shake=Kind.TLS, classic=handshake("TLSv1.2")),), YES, NO),
        ((Server(shake=Kind.TLS, classic=handshake("TLSv1.3")),), YES, OPEN),
        ((Server(shake=Kind.CLOSED, classic=OLD),), YES, NO),
        ((Server(shake=Kind.CLOSED, classic=ANONYMOUS),), YES, OPEN),
        ((Server(shake=Kind.RESET, classic=ANONYMOUS),), YES, OPEN),
        ((Server(shake=Kind.TIMEOUT, classic=OLD),), YES, OPEN),
        ((BROKEN_TLS, GOOD, GOOD), YES, YES),
        ((BROKEN_TLS, GOOD, Server(shake=Kind.TIMEOUT)), YES, OPEN),
        ((BROKEN_TLS, GOOD, Server(starttls=Kind.TIMEOUT)), YES, OPEN),
        ((BROKEN_TLS, GOOD, BROKEN_TLS), YES, OPEN),
        ((BROKEN_TLS,), NO, NO),
        ((BROKEN_TLS, Server(shake=Kind.TIMEOUT)), OPEN, OPEN),
        ((BROKEN_TLS, OTHER_CURVE), YES, YES),
        ((BROKEN_TLS, OTHER_CURVE, SILENT), OPEN, OPEN),
        ((BROKEN_TLS, OTHER_CURVE, BROKEN_TLS), NO, NO),
        ((BROKEN_TLS, OTHER_CURVE, Server(shake=Kind.TLS)), NO, NO),
        ((Server(mail_tls=reply(550)), OTHER_CURVE), YES, YES),
        ((Server(shake=Kind.TLS), BROKEN_TLS), NO, NO),
        ((Server(shake=Kind.PROTOCOL),), OPEN, OPEN),
        ((Server(mail_tls=reply(550)),), NO, NO),
        ((Server(mail_tls=reply(550)), GOOD), YES, YES),
        ((Server(mail_tls=reply(550)), OLD_TLS), YES, NO),
    ],
)
def test_tls_at_the_two_security_levels(servers, level0, level1):
    seen = observed(asked(*servers))
    assert (seen.tls0, seen.tls1) == (level0, level1)


def test_an_anonymous_suite_is_no_proof_that_there_is_no_certificate():
    """Postfix prefers anonymous suites to its certificate; a connection that was lost then proves nothing."""
    by_chance = asked(BROKEN_TLS, Server(shake=ANONYMOUS), BROKEN_TLS)
    assert observed(by_chance).tls1 is OPEN


@pytest.mark.parametrize(
    ("server", "breaks"),
    [
        (GOOD, NO),
        (BROKEN_TLS, YES),
        (Server(shake=Kind.TIMEOUT), YES),
        (Server(ehlo_tls=Kind.RESET), YES),
        (Server(mail_tls=Kind.CLOSED), YES),
        (Server(mail_tls=reply(550)), NO),
        (Server(ehlo_tls=reply(220), quit=reply(250)), NO),
        (Server(mail_tls=reply(450)), OPEN),
        (Server(ehlo_tls=reply(421)), OPEN),
        (NO_TLS, OPEN),
    ],
)
def test_where_tls_breaks_without_a_reply(server, breaks):
    assert observed(asked(server)).breaks is breaks


def test_the_troubles_are_the_servers_words_a_5xx_before_all():
    seen = observed(asked(Server(mail=reply(450), starttls=reply(502)), Server(mail=reply(550), starttls=reply(454))))
    assert seen.clear_trouble is not None
    assert seen.clear_trouble.reply == reply(550)
    assert seen.starttls_trouble is not None
    assert seen.starttls_trouble.reply == reply(502)
    assert seen.tls_trouble is None
    inside = observed(asked(Server(mail_tls=reply(550)), Server(mail_tls=reply(450)))).tls_trouble
    assert inside is not None
    assert (inside.stage, inside.kind) == (Stage.MAIL_TLS, Kind.PERMANENT)


@pytest.mark.parametrize("hello", sorted(OTHER_CHAINS))
@pytest.mark.parametrize("usual", [GOOD, BROKEN_TLS, NO_TLS, OLD_TLS])
@pytest.mark.parametrize("server", [GOOD, BROKEN_TLS, NO_TLS, Server(greeting=reply(421)), Server(mail=reply(550))])
def test_a_hello_that_no_sender_makes_decides_nothing(hello, usual, server):
    facts = asked(usual)
    beside = session(server, SessionRequest(hello, ehlo="probe.example.net", envelope=True))
    assert observed(msgspec.structs.replace(facts, sessions=(*facts.sessions, beside))) == observed(facts)


# --- less information, no firmer answer ----------------------------------------------------------------------------

MUTE = [
    ProbeFailure(Stage.CONNECT, Kind.TIMEOUT),
    ProbeFailure(Stage.GREETING, Kind.TEMPORARY, reply=reply(421)),
    ProbeFailure(Stage.GREETING, Kind.TIMEOUT),
    ProbeFailure(Stage.EHLO, Kind.TIMEOUT),
]
THROTTLED = reply(421, "4.7.0 Too many connections")


@st.composite
def endpoints(draw: st.DrawFn) -> tuple[list[Conversation], bool]:
    """The connections with up to three servers of any behaviour, as with back-ends that differ."""
    servers = draw(st.lists(any_server(), min_size=1, max_size=3))
    envelope = draw(st.booleans())
    return conversations(*servers, envelope=envelope), envelope


def cut(held: Conversation, step: str, answer: object) -> SessionFacts:
    """The same conversation, had this step gone unanswered, or been answered with 421 and a close."""
    server, request = held
    steps = {"shake": ("shake", "classic", "level1")}.get(step, (step,))
    changes = dict.fromkeys(steps, answer) | ({"reset_refused": Kind.CLOSED} if step == "starttls" else {})
    return session(msgspec.structs.replace(server, **changes), request)


@st.composite
def poorer(draw: st.DrawFn, held: list[Conversation]) -> EndpointFacts:
    """Facts from which something was taken away: sessions dropped, made mute, or cut at a step."""
    sessions = []
    for each in held:
        fate = draw(st.sampled_from(["kept", "dropped", "mute", "cut"]))
        if fate == "kept":
            sessions.append(session(*each))
        elif fate == "mute":
            sessions.append(SessionFacts(each[1].hello, failure=draw(st.sampled_from(MUTE))))
        elif fate == "cut":
            step = draw(st.sampled_from([*REPLIES, "shake"]))
            answer = Kind.TIMEOUT if step == "shake" else draw(st.sampled_from([Kind.TIMEOUT, THROTTLED]))
            sessions.append(cut(each, step, answer))
    return facts_of(*sessions)


def answers(facts: EndpointFacts) -> dict[Level, LevelAnswer]:
    verdict = endpoint_verdict(reference(facts), facts, trusting)
    return {answer.level: answer for answer in verdict.answers}


@settings(deadline=None)
@given(st.data())
def test_less_information_never_makes_a_no(data):
    """Sustained or unknown never becomes "not sustained", unless the sessions contradict each other.

    Where two sessions contradict each other the level is unknown; without one of them the other counts.
    """
    held, _ = data.draw(endpoints())
    full = facts_of(*(session(*each) for each in held))
    less = data.draw(poorer(held))
    before, after = answers(full), answers(less)
    if observed(full).differ:
        event("contradiction")
        return
    for level, answer in after.items():
        if answer.sustained is NO:
            assert before[level].sustained is NO, level


@settings(deadline=None)
@given(st.data())
def test_less_information_never_turns_a_no_into_a_yes(data):
    """ "Not sustained" never becomes "sustained", with two exceptions, both of them ways of asking less.

    MAIL in clear: where no session is left that said it, clear text counts as taken, as in a scan without --envelope.
    MAY: where every session behind STARTTLS is now lost without a reply, Postfix goes on in clear.
    """
    held, _ = data.draw(endpoints())
    full = facts_of(*(session(*each) for each in held))
    less = data.draw(poorer(held))
    before, after, seen = answers(full), answers(less), observed(less)
    says_mail = [s for s in less.sessions if s.mail_clear or (s.failure and s.failure.stage is Stage.MAIL)]
    for level, answer in after.items():
        if answer.sustained is not YES or level not in before:
            continue
        if level in (Level.NONE, Level.MAY) and not says_mail:
            event("MAIL no longer asked")
        elif level is Level.MAY and seen.breaks is YES:
            event("TLS lost without a reply")
        else:
            assert before[level].sustained is not NO, level


@settings(deadline=None)
@given(endpoints())
def test_certificates_that_were_not_kept_make_must_unknown_at_most(drawn):
    held, _ = drawn
    full = facts_of(*(session(*each) for each in held))
    before, after = answers(full), answers(msgspec.structs.replace(full, certificates=full.certificates[:1]))
    for level, answer in after.items():
        if level is Level.MUST and before[level].sustained is not answer.sustained:
            assert answer.sustained is OPEN
        else:
            assert answer == before[level]


@settings(deadline=None)
@given(endpoints())
def test_every_answer_of_any_server_has_its_reason(drawn):
    held, _ = drawn
    facts = facts_of(*(session(*each) for each in held))
    verdict: EndpointVerdict = endpoint_verdict(reference(facts), facts, trusting)
    assert bool(verdict.answers) is (verdict.reason is None)
    for answer in verdict.answers:
        assert (answer.reason is None) is (answer.sustained is YES)
        assert answer.reason is None or answer.reason.remedy


@settings(deadline=None)
@given(endpoints())
def test_a_no_about_tls_rests_on_two_sessions(drawn):
    held, _ = drawn
    facts = facts_of(*(session(*each) for each in held))
    seen = observed(facts)
    if NO in (seen.tls0, seen.tls1):
        assert (
            sum(
                s.handshake is not None or (s.starttls is not None and s.starttls.severity == 2) for s in facts.sessions
            )
            >= 2
        )
    if seen.tls0 is NO:
        assert HelloStyle.CLASSIC in {s.hello for s in facts.sessions}
    if seen.starttls not in (Starttls.ACCEPTED, Starttls.UNSETTLED):
        assert len(facts.sessions) >= 2


def test_a_server_that_demands_tls_takes_no_mail_in_clear():
    assert observed(asked(DEMANDS_TLS)).clear is NO
    assert observed(asked(DEMANDS_TLS, envelope=False)).clear is YES
