"""Failures as values, and our own machine's trouble as an exception."""

import errno

import pytest

from scanner.failures import (
    LOCAL_ERRNOS,
    NOT_ASKED,
    Kind,
    LocalTroubleError,
    ProbeFailure,
    SmtpReply,
    Stage,
    refuse_local_trouble,
)


@pytest.mark.parametrize("kind", sorted(Kind))
def test_what_we_chose_not_to_ask_is_told_from_what_was_not_answered(kind):
    assert ProbeFailure(Stage.CONNECT, kind).asked is (kind not in NOT_ASKED)


def test_a_failure_reads_as_a_sentence_with_the_servers_words():
    reply = SmtpReply(421, ("4.7.0 too many", "connections"))
    failure = ProbeFailure(Stage.GREETING, Kind.TEMPORARY, "unused", reply)
    assert str(failure) == "greeting: temporary-reply (421 4.7.0 too many connections)"
    assert str(ProbeFailure(Stage.CONNECT, Kind.TIMEOUT)) == "connect: timeout"
    assert str(ProbeFailure(Stage.CONNECT, Kind.REFUSED, "no")) == "connect: refused (no)"


def test_keywords_are_those_behind_the_first_line():
    reply = SmtpReply(250, ("STARTTLS", "SIZE 10", " auth=PLAIN LOGIN", "", "=", "8bitmime"))
    assert reply.keywords == {"SIZE": "10", "AUTH": "PLAIN LOGIN", "8BITMIME": ""}
    assert SmtpReply(250).keywords == {}


@pytest.mark.parametrize(("code", "severity"), [(220, 2), (354, 3), (421, 4), (554, 5)])
def test_the_severity_is_the_first_digit(code, severity):
    assert SmtpReply(code).severity == severity


@pytest.mark.parametrize("number", sorted(LOCAL_ERRNOS))
def test_no_peer_is_blamed_for_our_own_limits(number):
    with pytest.raises(LocalTroubleError, match="ulimit"):
        refuse_local_trouble(OSError(number, "too many"))


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ECONNRESET, errno.ENETUNREACH, errno.ETIMEDOUT, None])
def test_what_peers_and_networks_do_is_no_local_trouble(number):
    refuse_local_trouble(OSError(number, "x") if number else OSError("x"))
