"""One row for each server state: the levels that its facts sustain, as real deliveries by Postfix 3.7 came out."""

import pytest

from audits.grade import endpoint_verdict
from audits.levels import DELAYED_THEN_CLEAR, LevelAnswer, both
from audits.reasons import Cause
from audits.verdicts import EndpointVerdict, State
from scanner.facts import EndpointFacts, Fact, Level
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.tls_facts import HelloStyle
from tests.audits.session_factory import (
    ANONYMOUS,
    BROKEN_TLS,
    DEMANDS_TLS,
    GOOD,
    NO_CERTIFICATE,
    NO_TLS,
    OLD_TLS,
    OTHER,
    PLAIN,
    SILENT,
    Server,
    asked,
    distrusting,
    facts_of,
    handshake,
    reference,
    reply,
    trusting,
)

LATER, NEVER, DEMAND = reply(450, "4.7.0 Later"), reply(550, "5.7.0 Never"), reply(530, "5.7.0 STARTTLS first")
CLOSED, RESET, TIMEOUT, TLS = Kind.CLOSED, Kind.RESET, Kind.TIMEOUT, Kind.TLS
GREETING_421 = Server(greeting=reply(421, "4.7.0 Too many connections"))

STATES = {
    # --- healthy ---------------------------------------------------------------------------------------------------
    "good": ("++++", GOOD),
    "tls-demanded": ("b+++", DEMANDS_TLS),
    "wrong-name": ("+++-", Server(shake=handshake(chain=(OTHER,)))),
    "tls10-only": ("+++-", OLD_TLS),
    "tls-demanded-tls10": ("b++-", Server(mail=DEMAND, shake=TLS, classic=handshake("TLSv1"))),
    "no-certificate": ("+++-", NO_CERTIFICATE),
    "large-hello-not-understood": ("++++", Server(shake=RESET, classic=handshake("TLSv1.2"), level1=handshake())),
    "level-1-refused": ("+++-", Server(shake=TLS, classic=handshake("TLSv1.2"))),
    "greeting-250": ("++++", Server(greeting=reply(250))),
    # --- greeting --------------------------------------------------------------------------------------------------
    "greeting-421": ("", GREETING_421),
    "greeting-450": ("", Server(greeting=LATER)),
    "greeting-554": ("", Server(greeting=reply(554, "5.7.1 Not you"))),
    "greeting-close": ("", Server(greeting=CLOSED)),
    "greeting-reset": ("", Server(greeting=RESET)),
    "greeting-rubbish": ("????", Server(greeting=Kind.PROTOCOL)),
    "greeting-hang": ("????", Server(greeting=TIMEOUT)),
    "refused": ("", Server(connect=Kind.REFUSED)),
    "connect-hang": ("", SILENT),
    # --- EHLO ------------------------------------------------------------------------------------------------------
    "ehlo-502-helo-good": ("++--", Server(ehlo=reply(502))),
    "ehlo-502-helo-502": ("????", Server(ehlo=reply(502), helo=reply(502))),
    "ehlo-450-helo-450": ("????", Server(ehlo=LATER, helo=LATER)),
    "ehlo-450-helo-good": ("++??", Server(ehlo=LATER)),
    "ehlo-421": ("????", Server(ehlo=reply(421))),
    "ehlo-close": ("????", Server(ehlo=CLOSED)),
    "ehlo-hang": ("????", Server(ehlo=TIMEOUT)),
    "ehlo-xxxxxxxa": ("++--", Server(ehlo=reply(250, "mx", "XXXXXXXA"))),
    "ehlo-lower-case": ("++++", Server(ehlo=reply(250, "mx", "starttls"))),
    "no-tls": ("++--", NO_TLS),
    # --- STARTTLS --------------------------------------------------------------------------------------------------
    "starttls-454": ("++??", Server(starttls=reply(454))),
    "starttls-421-open": ("++??", Server(starttls=reply(421))),
    "starttls-502": ("++bb", Server(starttls=reply(502))),
    "starttls-550": ("++bb", Server(starttls=reply(550))),
    "starttls-354": ("++bb", Server(starttls=reply(354))),
    "starttls-250": ("++++", Server(starttls=reply(250))),
    "starttls-421": ("+???", Server(starttls=reply(421), reset_refused=CLOSED)),
    "starttls-454-close": ("+???", Server(starttls=reply(454), reset_refused=CLOSED)),
    "starttls-502-close": ("+-bb", Server(starttls=reply(502), reset_refused=CLOSED)),
    "starttls-454-tls-demanded": ("bb??", Server(mail=DEMAND, starttls=reply(454))),
    "starttls-502-tls-demanded": ("bbbb", Server(mail=DEMAND, starttls=reply(502))),
    "starttls-close": ("+???", Server(starttls=CLOSED)),
    "starttls-reset": ("+???", Server(starttls=RESET)),
    "starttls-hang": ("+???", Server(starttls=TIMEOUT)),
    "starttls-rubbish": ("+???", Server(starttls=Kind.PROTOCOL)),
    # --- handshake -------------------------------------------------------------------------------------------------
    "tls-close": ("++--", BROKEN_TLS),
    "tls-reset": ("++--", Server(shake=RESET)),
    "tls-hang": ("++??", Server(shake=TIMEOUT)),
    "tls-alert-handshake": ("++--", Server(shake=TLS)),
    "tls-broken-tls-demanded": ("bb--", Server(shake=CLOSED, mail=DEMAND)),
    # --- inside TLS ------------------------------------------------------------------------------------------------
    "inside-close": ("++--", Server(ehlo_tls=CLOSED)),
    "inside-reset": ("++--", Server(ehlo_tls=RESET)),
    "inside-hang": ("++??", Server(ehlo_tls=TIMEOUT)),
    "client-certificate-tls13": ("++--", Server(ehlo_tls=TLS)),
    "client-certificate-demanded": ("bb--", Server(ehlo_tls=TLS, mail=DEMAND)),
    "inside-greeting": ("+bbb", Server(ehlo_tls=reply(220), quit=reply(250))),
    "inside-421": ("+???", Server(ehlo_tls=reply(421))),
    "inside-ehlo-450": ("++++", Server(ehlo_tls=LATER)),
    "inside-ehlo-502": ("++++", Server(ehlo_tls=reply(502))),
    "inside-ehlo-502-helo-502": ("+bbb", Server(ehlo_tls=reply(502), helo_tls=reply(502))),
    "inside-ehlo-450-helo-450": ("+???", Server(ehlo_tls=LATER, helo_tls=LATER)),
    "inside-mail-450": ("+???", Server(mail_tls=LATER)),
    "inside-mail-550": ("+bbb", Server(mail_tls=NEVER)),
    "inside-mail-354": ("+???", Server(mail_tls=reply(354))),
    "inside-mail-421": ("+???", Server(mail_tls=reply(421))),
    "inside-mail-close": ("++--", Server(mail_tls=CLOSED)),
    "inside-mail-hang": ("++??", Server(mail_tls=TIMEOUT)),
    # --- mail in clear ---------------------------------------------------------------------------------------------
    "clear-mail-450": ("?+++", Server(mail=LATER)),
    "clear-mail-550": ("b+++", Server(mail=NEVER)),
    "clear-mail-530-no-starttls": ("bb--", Server(mail=DEMAND, ehlo=PLAIN)),
    "clear-mail-450-no-starttls": ("??--", Server(mail=LATER, ehlo=PLAIN)),
    "clear-mail-421": ("?+++", Server(mail=reply(421))),
    "clear-mail-close": ("?+++", Server(mail=CLOSED)),
    "clear-mail-hang-no-starttls": ("??--", Server(mail=TIMEOUT, ehlo=PLAIN)),
    "clear-mail-hang": ("?+++", Server(mail=TIMEOUT)),
    "mail-450": ("????", Server(mail=LATER, mail_tls=LATER)),
    "mail-refused-everywhere": ("bbbb", Server(mail=NEVER, mail_tls=NEVER)),
}
"""Letters for NONE, MAY, MUST_NOPEERMATCH, MUST: + sustained, - not, b not and Postfix bounces at once, ? unknown.

Names that the lab of real servers knows too are the same state there.
"""


def letters(verdict: EndpointVerdict) -> str:
    def letter(answer: LevelAnswer) -> str:
        words = {Fact.YES: "+", Fact.INCONCLUSIVE: "?"}
        return words.get(answer.sustained) or ("b" if answer.bounces else "-")

    return "".join(map(letter, verdict.answers))


def judged(facts: EndpointFacts, verify=trusting) -> EndpointVerdict:
    return endpoint_verdict(reference(facts), facts, verify)


@pytest.mark.parametrize("name", STATES)
def test_the_levels_of_a_server_state(name):
    expected, server = STATES[name]
    verdict = judged(asked(server))
    assert letters(verdict) == expected
    assert [level.value for level in verdict.sustained] == [
        level.value for level, letter in zip(Level, expected, strict=False) if letter == "+"
    ]
    assert len(verdict.unknown) == expected.count("?")


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_sustained_has_a_reason_and_what_is_has_none(name):
    _, server = STATES[name]
    for answer in judged(asked(server)).answers:
        assert (answer.reason is None) is (answer.sustained is Fact.YES)
        if answer.reason is None:
            assert not answer.bounces
            assert not answer.late
        else:
            assert answer.reason.cause
            assert answer.reason.detail
            assert answer.reason.remedy


CAUSES = [
    ("good", Level.MUST, None),
    ("tls-demanded", Level.NONE, Cause.TLS_REQUIRED),
    ("clear-mail-550", Level.NONE, Cause.TLS_REQUIRED),
    ("mail-refused-everywhere", Level.NONE, Cause.MAIL_REFUSED),
    ("clear-mail-450", Level.NONE, Cause.THROTTLED),
    ("ehlo-502-helo-502", Level.NONE, Cause.CLIENT_REFUSED),
    ("ehlo-421", Level.MUST, Cause.THROTTLED),
    ("ehlo-450-helo-good", Level.MUST, Cause.THROTTLED),
    ("ehlo-hang", Level.MAY, Cause.UNANSWERED),
    ("no-tls", Level.MUST_NOPEERMATCH, Cause.STARTTLS_NOT_SUPPORTED),
    ("starttls-502", Level.MUST, Cause.STARTTLS_REFUSED),
    ("starttls-502-close", Level.MUST, Cause.STARTTLS_REFUSED),
    ("starttls-502-close", Level.MAY, Cause.STARTTLS_REFUSED),
    ("clear-mail-close", Level.NONE, Cause.UNANSWERED),
    ("clear-mail-421", Level.NONE, Cause.THROTTLED),
    ("starttls-454", Level.MUST, Cause.THROTTLED),
    ("starttls-454-close", Level.MAY, Cause.THROTTLED),
    ("starttls-hang", Level.MAY, Cause.UNANSWERED),
    ("tls-close", Level.MUST_NOPEERMATCH, Cause.HANDSHAKE_FAILED),
    ("tls-hang", Level.MUST, Cause.UNANSWERED),
    ("tls10-only", Level.MUST, Cause.HANDSHAKE_TOO_WEAK),
    ("level-1-refused", Level.MUST, Cause.HANDSHAKE_TOO_WEAK),
    ("no-certificate", Level.MUST, Cause.NO_CERTIFICATE),
    ("wrong-name", Level.MUST, Cause.CERTIFICATE_HOST_MISMATCH),
    ("inside-close", Level.MUST, Cause.TLS_SESSION_FAILED),
    ("inside-mail-550", Level.MAY, Cause.TLS_SESSION_FAILED),
    ("inside-mail-450", Level.MAY, Cause.THROTTLED),
    ("inside-hang", Level.MUST_NOPEERMATCH, Cause.UNANSWERED),
]


@pytest.mark.parametrize(("name", "level", "cause"), CAUSES)
def test_the_cause_in_a_word(name, level, cause):
    answer = judged(asked(STATES[name][1])).answer(level)
    assert answer is not None
    assert (answer.reason.cause if answer.reason else None) is cause


def test_the_servers_own_words_are_the_detail():
    words = {
        "starttls-502": "502 5.0.0 words",
        "inside-mail-550": "550 5.7.0 Never",
        "tls-demanded": "530 5.7.0 Must issue a STARTTLS command first",
    }
    for name, said in words.items():
        reasons = [answer.reason for answer in judged(asked(STATES[name][1])).answers if answer.reason]
        assert all(said in reason.detail for reason in reasons)


@pytest.mark.parametrize("name", STATES)
def test_the_remark_stands_where_postfix_first_defers_and_then_delivers_in_clear(name):
    expected, server = STATES[name]
    verdict = judged(asked(server))
    lost_behind_starttls = expected.startswith("++") and name.startswith(("tls-", "inside-", "client-"))
    wanted = lost_behind_starttls and expected != "++++"
    assert any(answer.remark == DELAYED_THEN_CLEAR for answer in verdict.answers) is wanted


@pytest.mark.parametrize(
    ("name", "late"),
    [
        ("inside-mail-450", "-+++"),
        ("inside-mail-close", "--++"),
        ("inside-ehlo-502-helo-502", "----"),
        ("clear-mail-450", "+---"),
        ("mail-450", "++++"),
        ("tls-close", "----"),
        ("starttls-454-tls-demanded", "++--"),
        ("wrong-name", "----"),
    ],
)
def test_late_is_what_fails_behind_ehlo_and_starttls(name, late):
    verdict = judged(asked(STATES[name][1]))
    assert "".join("+" if answer.late else "-" for answer in verdict.answers) == late


def test_a_5xx_in_the_greeting_sends_postfix_to_the_next_host():
    """smtp_skip_5xx_greeting: it is no bounce, unlike a 5xx to EHLO."""
    open_answers = judged(asked(NO_TLS, Server(greeting=reply(554)))).answers[1:]
    assert [answer.bounces for answer in open_answers] == [False, False, False]
    refused = judged(asked(Server(ehlo=reply(550), helo=reply(550)))).answers
    assert all(answer.bounces for answer in refused)


# --- one session is no proof ---------------------------------------------------------------------------------------

SECOND_IS_MUTE = {
    "not-offered": ("+???", (NO_TLS, GREETING_421)),
    "not-offered-then-offered": ("+???", (NO_TLS, GOOD)),
    "refused-then-throttled": ("+???", (Server(starttls=reply(502)), GREETING_421)),
    "refused-then-accepted": ("+???", (Server(starttls=reply(502)), GOOD)),
    "refused-then-deferred": ("+???", (Server(starttls=reply(502)), Server(starttls=reply(454)))),
    "handshake-then-throttled": ("+???", (BROKEN_TLS, GREETING_421)),
    "handshake-then-silence": ("+???", (BROKEN_TLS, SILENT)),
    "handshake-then-no-starttls": ("+???", (BROKEN_TLS, NO_TLS)),
    "handshake-closed-then-hanging": ("++??", (BROKEN_TLS, Server(shake=TIMEOUT))),
    "handshake-lost-then-450-inside": ("+???", (BROKEN_TLS, Server(mail_tls=LATER))),
    "handshake-lost-then-550": ("+?bb", (BROKEN_TLS, Server(mail_tls=NEVER))),
    "inside-550-then-silence": ("+???", (Server(mail_tls=NEVER), SILENT)),
    "reset-then-anonymous": ("++++", (Server(shake=RESET), Server(classic=ANONYMOUS))),
    "reset-then-anonymous-then-reset": ("+++?", (Server(shake=RESET), Server(classic=ANONYMOUS), Server(shake=RESET))),
    "closed-then-well": ("++++", (BROKEN_TLS, GOOD, GOOD)),
    "closed-then-well-then-throttled": ("+++?", (BROKEN_TLS, GOOD, GREETING_421)),
    "closed-then-well-then-closed": ("+++?", (BROKEN_TLS, GOOD, BROKEN_TLS)),
    "clear-taken-then-refused": ("??--", (NO_TLS, Server(ehlo=PLAIN, mail=NEVER))),
}


@pytest.mark.parametrize("name", SECOND_IS_MUTE)
def test_a_no_needs_two_sessions_that_agree(name):
    expected, servers = SECOND_IS_MUTE[name]
    assert letters(judged(asked(*servers))) == expected


def test_reasons_tell_a_missing_second_session_from_a_contradiction():
    def cause(facts: EndpointFacts) -> Cause | None:
        answer = judged(facts).answer(Level.MUST)
        return answer.reason.cause if answer and answer.reason else None

    once = asked(NO_TLS).sessions[0]
    assert cause(facts_of(once)) is Cause.UNCONFIRMED
    assert cause(facts_of(once, *asked(GOOD).sessions)) is Cause.CONTRADICTORY
    assert cause(asked(Server(starttls=reply(502)), GOOD)) is Cause.CONTRADICTORY
    assert cause(asked(NO_TLS, GREETING_421)) is Cause.THROTTLED
    assert cause(facts_of(*asked(BROKEN_TLS).sessions[:1])) is Cause.UNCONFIRMED


@pytest.mark.parametrize(("kind", "expected"), [(TLS, "+??-"), (CLOSED, "+???")])
def test_level_0_is_refused_only_by_a_session_with_the_classic_hello(kind, expected):
    """And level 1 by two TLS errors; two connections that were only lost may have been lost by chance."""
    first, _second = asked(Server(shake=kind)).sessions
    assert letters(judged(facts_of(first, first))) == expected


def test_a_pause_of_the_provider_is_the_reason_for_what_was_left_open():
    whole = asked(BROKEN_TLS)
    paused = ProbeFailure(Stage.CONNECT, Kind.PROVIDER_PAUSED, "example.org")
    facts = type(whole)(whole.endpoint, whole.seen_at, whole.sessions[:1], whole.certificates, paused)
    answer = judged(facts).answer(Level.MUST)
    assert answer is not None
    assert answer.reason is not None
    assert answer.reason.cause is Cause.NOT_ASKED


def test_a_reset_that_fails_behind_an_accepted_mail_is_no_trouble():
    assert letters(judged(asked(Server(reset_tls=CLOSED)))) == "++++"
    assert letters(judged(asked(Server(ehlo=PLAIN, reset=CLOSED)))) == "++--"


# --- the rest ------------------------------------------------------------------------------------------------------


def test_an_untrusted_chain_takes_must_alone():
    verdict = judged(asked(GOOD), distrusting)
    assert letters(verdict) == "+++-"
    answer = verdict.answer(Level.MUST)
    assert answer is not None
    assert answer.reason is not None
    assert answer.reason.cause is Cause.CERTIFICATE_EXPIRED


@pytest.mark.parametrize("server", [Server(ehlo_tls=NEVER, helo_tls=NEVER), Server(mail_tls=NEVER)])
def test_what_is_said_inside_tls_is_never_heard_by_a_sender_that_does_not_trust_the_chain(server):
    trusted, distrusted = (
        judged(asked(server)).answer(Level.MUST),
        judged(asked(server), distrusting).answer(Level.MUST),
    )
    assert trusted is not None
    assert distrusted is not None
    assert (trusted.sustained, trusted.bounces) == (Fact.NO, True)
    assert (distrusted.sustained, distrusted.bounces, distrusted.late) == (Fact.NO, False, False)
    assert distrusted.reason is not None
    assert distrusted.reason.cause is Cause.CERTIFICATE_EXPIRED


def test_without_the_envelope_mail_in_clear_counts_as_taken_and_nothing_inside_is_asked():
    assert letters(judged(asked(DEMANDS_TLS, envelope=False))) == "++++"
    assert letters(judged(asked(Server(mail_tls=NEVER), envelope=False))) == "++++"


@pytest.mark.parametrize(
    ("server", "expected", "state"),
    [
        (GOOD, "-+++", State.OK),
        (Server(shake=TLS), "????", State.INCONCLUSIVE),
        (Server(ehlo_tls=TIMEOUT), "-???", State.INCONCLUSIVE),
        (Server(greeting=reply(554)), "", State.REFUSED),
    ],
)
def test_where_tls_begins_at_once_there_is_no_clear_text_and_no_starttls(server, expected, state):
    verdict = judged(asked(server, port=465, envelope=False))
    assert (letters(verdict), verdict.state, verdict.starttls) == (expected, state, Fact.NOT_TESTED)
    if expected.startswith("-"):
        assert verdict.answers[0].reason is not None
        assert verdict.answers[0].reason.cause is Cause.TLS_REQUIRED


def test_the_chain_that_decides_must_is_that_of_a_session_at_level_1():
    wrong = handshake("TLSv1.2", chain=(OTHER,))
    facts = asked(Server(shake=RESET, classic=wrong, level1=handshake()))
    asked_with = [HelloStyle.POSTFIX_MUST, HelloStyle.CLASSIC, HelloStyle.CLASSIC_LEVEL1]
    assert [session.hello for session in facts.sessions] == asked_with
    assert letters(judged(facts)) == "++++"


@pytest.mark.parametrize(
    ("given", "common"),
    [
        ("", Fact.INCONCLUSIVE),
        ("yes", Fact.YES),
        ("yes yes", Fact.YES),
        ("yes inconclusive", Fact.INCONCLUSIVE),
        ("yes inconclusive no", Fact.NO),
        ("not-tested yes", Fact.INCONCLUSIVE),
    ],
)
def test_what_several_hosts_have_in_common(given, common):
    assert both(map(Fact, given.split())) is common
