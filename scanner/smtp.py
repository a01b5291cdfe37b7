"""The SMTP dialogue up to STARTTLS and behind it, sans-I/O (RFC 5321, RFC 3207).

`ReplyReader` turns bytes into replies. `smtp_dialogue` is a generator: it yields the next `Step` and is sent the
reply, the handshake or the failure that the step ended with; what it returns is the `SessionFacts`. It follows the
SMTP client of Postfix: EHLO first, HELO where EHLO is refused (but not with 421), STARTTLS only where the keyword
was seen, and the plain session goes on where STARTTLS is refused.
"""

from collections.abc import Generator
from functools import lru_cache

import msgspec

from scanner import settings
from scanner.facts import Fact, SessionFacts, Transport
from scanner.failures import Kind, ProbeFailure, ProtocolError, SmtpReply, Stage
from scanner.tls_facts import HandshakeFacts, HelloStyle
from scanner.wire.hello import Hello
from scanner.wire.server_flight import ServerFlight

KNOWN_REPLIES = 2048
"""Replies remembered: a server says the same on each of a hundred connections."""
MAX_KNOWN_BYTES = 512
"""Longer ones are read anew, so that nobody fills our memory."""


class ReplyReader:
    """Bytes in, complete replies out; any chunking gives the same replies."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._code = ""
        self._bytes = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_reply(self) -> SmtpReply | None:
        """The next complete reply, or None while bytes are missing.

        Raises ProtocolError for a line that is no reply (RFC 5321 section 4.2), and beyond the limits of `settings`.
        As in Postfix bare LF ends a line, and of codes that differ within a reply the last counts.
        """
        if not self._lines and 0 < len(self._buffer) <= MAX_KNOWN_BYTES:
            known = _whole_reply(bytes(self._buffer))
            if known is not None:
                self._buffer.clear()
                return known
        return self._next_by_line()

    def _next_by_line(self) -> SmtpReply | None:
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            if self._take_line(line):
                reply = SmtpReply(int(self._code), tuple(self._lines))
                self._lines, self._code, self._bytes = [], "", 0
                return reply
        if len(self._buffer) > settings.MAX_REPLY_LINE:
            raise ProtocolError(f"a reply line longer than {settings.MAX_REPLY_LINE} bytes")
        return None

    def take_rest(self) -> bytes:
        """The bytes behind the last complete reply, and forgets them: plain text behind the 220 to STARTTLS."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    @property
    def partial(self) -> str:
        """What was read of an unfinished reply, for the evidence of a failure."""
        tail = bytes(self._buffer[:200]).decode("latin-1")
        return " ".join([f"{self._code} {text}" for text in self._lines] + ([tail] if tail else []))[:400]

    def _take_line(self, line: bytes) -> bool:
        """Takes one line; true when it ends a reply."""
        self._bytes += len(line)
        if len(line) > settings.MAX_REPLY_LINE:
            raise ProtocolError(f"a reply line longer than {settings.MAX_REPLY_LINE} bytes")
        if len(self._lines) >= settings.MAX_REPLY_LINES or self._bytes > settings.MAX_REPLY_BYTES:
            raise ProtocolError(f"a reply of more than {settings.MAX_REPLY_LINES} lines or too many bytes")
        text = line.decode("latin-1")
        code, mark = text[:3], text[3:4]
        if not (code.isascii() and code.isdigit()) or not "2" <= code[0] <= "5" or mark not in ("", " ", "-"):
            raise ProtocolError(f"not an SMTP reply: {text[:120]!r}")
        self._code = code
        self._lines.append(text[4:])
        return mark != "-"


@lru_cache(KNOWN_REPLIES)
def _whole_reply(data: bytes) -> SmtpReply | None:
    """The reply, where these bytes are one and nothing else."""
    reader = ReplyReader()
    reader.feed(data)
    try:
        reply = reader._next_by_line()
    except ProtocolError:
        return None
    return None if reader.take_rest() else reply


@lru_cache(KNOWN_REPLIES)
def offers_starttls(ehlo: SmtpReply | None) -> bool:
    """Whether this reply to EHLO names STARTTLS; not where EHLO was not accepted."""
    return ehlo is not None and "STARTTLS" in ehlo.keywords


# --- steps: what the dialogue wants from its shell -----------------------------------------------------------------


class ReadGreeting(msgspec.Struct, frozen=True):
    """Read the greeting to its last line before a word is said: a "220-" line is postscreen's teaser."""

    stage: Stage = Stage.GREETING


class Say(msgspec.Struct, frozen=True):
    """Send one command line (without CRLF) and read its reply."""

    line: str
    stage: Stage


class Upgrade(msgspec.Struct, frozen=True):
    """Start TLS: with a style of hello a whole handshake; with a `Hello` only the server's first flight is read."""

    hello: HelloStyle | Hello
    stage: Stage = Stage.HANDSHAKE


class Quit(msgspec.Struct, frozen=True):
    """Say QUIT, wait a moment for the reply, close. What goes wrong here changes no fact."""

    stage: Stage = Stage.EHLO


Step = ReadGreeting | Say | Upgrade | Quit
Outcome = SmtpReply | HandshakeFacts | ServerFlight | ProbeFailure | None
Dialogue = Generator[Step, Outcome, SessionFacts]
HelloDialogue = Generator[Step, Outcome, ServerFlight | ProbeFailure]


class SessionRequest(msgspec.Struct, frozen=True):
    """One connection that a plan asks for. `envelope` asks MAIL inside TLS, and with `mail_in_clear` also in clear."""

    hello: HelloStyle
    transport: Transport = Transport.STARTTLS
    ehlo: str = "localhost"
    envelope: bool = False
    sni: str = ""
    mail_in_clear: bool = True


def failure_of_reply(stage: Stage, reply: SmtpReply) -> ProbeFailure:
    """A reply that is not the hoped-for one, as the failure it stands for; the server's words are kept."""
    kind = {4: Kind.TEMPORARY, 5: Kind.PERMANENT}.get(reply.severity, Kind.PROTOCOL)
    return ProbeFailure(stage, kind, reply=reply)


class _Ended(Exception):
    """Inside a dialogue: the session is over, with this failure or with none."""

    def __init__(self, failure: ProbeFailure | None) -> None:
        self.failure = failure


class _Recorder:
    """What one dialogue has learned so far, field by field of `SessionFacts`; its words only where they are kept."""

    def __init__(self, hello: HelloStyle, *, keeps_words: bool = True) -> None:
        self.seen: dict[str, object] = {}
        self.transcript: list[str] = []
        self.hello = hello
        self._keeps_words = keeps_words

    def facts(self, failure: ProbeFailure | None) -> SessionFacts:
        fields = {"hello": self.hello, "failure": failure, "transcript": tuple(self.transcript), **self.seen}
        return msgspec.convert(fields, SessionFacts)

    def ask(self, step: Step, field: str = "", *, bears_421: bool = False) -> Generator[Step, Outcome, SmtpReply]:
        """Yields a step that has a reply, keeps reply and words; ends the session on a failure or, mostly, a 421."""
        if isinstance(step, Say) and self._keeps_words:
            self.transcript.append(f"C: {step.line}")
        outcome = yield step
        if not isinstance(outcome, SmtpReply):
            self.end(outcome)
        assert isinstance(outcome, SmtpReply)
        if self._keeps_words:
            self.transcript += reply_lines(outcome)
        if field:
            self.seen[field] = outcome
        if outcome.code == 421 and not bears_421:
            raise _Ended(failure_of_reply(step.stage, outcome))
        return outcome

    def end(self, outcome: Outcome) -> None:
        failure = outcome if isinstance(outcome, ProbeFailure) else None
        if failure:
            self.transcript.append(f"* {failure}")
        raise _Ended(failure)


def reply_lines(reply: SmtpReply) -> list[str]:
    """A reply as its lines came over the wire, marked "S: "."""
    last = len(reply.lines) - 1
    return [f"S: {reply.code}{'-' if i < last else ' '}{text}" for i, text in enumerate(reply.lines)]


def smtp_dialogue(request: SessionRequest) -> Dialogue:
    """One connection as a plan asked for it, from the greeting to QUIT."""
    record = _Recorder(request.hello)
    run = _submissions if request.transport is Transport.IMPLICIT else _starttls_session
    failure = None
    try:
        yield from run(request, record)
    except _Ended as ended:
        failure = ended.failure
    if failure is None or failure.reply is not None:
        failure = (yield from _quit(record)) or failure
    return record.facts(failure)


def hello_dialogue(request: SessionRequest, hello: Hello) -> HelloDialogue:
    """One connection that ends with the server's first flight: what its TLS makes of this hello.

    Anything that goes wrong before the hello is a failure and says nothing about TLS, not even a missing STARTTLS.
    """
    record = _Recorder(request.hello, keeps_words=False)
    try:
        if request.transport is Transport.STARTTLS:
            yield from _greeting(record)
            ehlo = yield from _hello_commands(request, record, Stage.EHLO, ("ehlo", "helo"))
            if not offers_starttls(ehlo):
                return ProbeFailure(Stage.EHLO, Kind.PROTOCOL, "STARTTLS is not offered this time", ehlo)
            reply = yield from record.ask(Say("STARTTLS", Stage.STARTTLS))
            if reply.severity != 2:
                return failure_of_reply(Stage.STARTTLS, reply)
        outcome = yield Upgrade(hello)
    except _Ended as ended:
        return ended.failure or ProbeFailure(Stage.HANDSHAKE, Kind.CLOSED)
    assert isinstance(outcome, ServerFlight | ProbeFailure)
    return outcome


def injection_dialogue(request: SessionRequest) -> Generator[Step, Outcome, Fact | ProbeFailure]:
    """Sends NOOP behind STARTTLS in one go (CVE-2011-0411): is it answered inside TLS, where nobody said it?

    If so every reply inside TLS belongs to the command before: EHLO gets the reply to NOOP, QUIT the one to EHLO. A
    server that drops the NOOP, as RFC 3207 section 4.2 wants, says 221 to QUIT.
    """
    record = _Recorder(request.hello)
    try:
        yield from _greeting(record)
        ehlo = yield from _hello_commands(request, record, Stage.EHLO, ("ehlo", "helo"))
        if not offers_starttls(ehlo):
            return ProbeFailure(Stage.EHLO, Kind.PROTOCOL, "STARTTLS is not offered this time", ehlo)
        reply = yield from record.ask(Say("STARTTLS\r\nNOOP", Stage.STARTTLS))
        if reply.severity != 2:
            return failure_of_reply(Stage.STARTTLS, reply)
        yield from _upgrade(request, record)
        yield from record.ask(Say(f"EHLO {request.ehlo}", Stage.EHLO_TLS))
        last = yield from record.ask(Say("QUIT", Stage.EHLO_TLS))
    except _Ended as ended:
        return ended.failure or ProbeFailure(Stage.HANDSHAKE, Kind.CLOSED)
    return {221: Fact.NO, 250: Fact.YES}.get(last.code, Fact.INCONCLUSIVE)


def _quit(record: _Recorder) -> Generator[Step, Outcome, ProbeFailure | None]:
    """QUIT; and the failure of a session whose replies were out of step all the time.

    A server that greets again inside TLS answers each command with the reply to the one before. Every code looks well,
    and yet mail is lost, as Postfix finds out at DATA; we see it by QUIT, which such a server answers with 250.
    """
    record.transcript.append("C: QUIT")
    outcome = yield Quit()
    if not isinstance(outcome, SmtpReply):
        return None
    record.transcript += reply_lines(outcome)
    inside = record.seen.get("ehlo_tls")
    greeted_again = isinstance(inside, SmtpReply) and inside.code == 220
    if not greeted_again or outcome.code == 221:
        return None
    return ProbeFailure(Stage.EHLO_TLS, Kind.PERMANENT, "the server greets again inside TLS; replies are out of step")


def _starttls_session(request: SessionRequest, record: _Recorder) -> Generator[Step, Outcome, None]:
    yield from _greeting(record)
    ehlo = yield from _hello_commands(request, record, Stage.EHLO, ("ehlo", "helo"))
    if request.envelope and request.mail_in_clear:
        yield from _envelope(record, Stage.MAIL, "mail_clear")
    if not offers_starttls(ehlo):
        return
    reply = yield from record.ask(Say("STARTTLS", Stage.STARTTLS), "starttls", bears_421=True)
    if reply.severity != 2:
        yield from _goes_on_in_clear(record, reply)
        return
    yield from _upgrade(request, record)
    yield from _inside_tls(request, record)


def _goes_on_in_clear(record: _Recorder, refusal: SmtpReply) -> Generator[Step, Outcome, None]:
    """After a refused STARTTLS Postfix at MAY goes on in clear on the same connection: does the server let it?"""
    reply = yield from record.ask(Say("RSET", Stage.STARTTLS))
    raise _Ended(failure_of_reply(Stage.STARTTLS, refusal if reply.severity == 2 else reply))


def _submissions(request: SessionRequest, record: _Recorder) -> Generator[Step, Outcome, None]:
    """TLS at once (RFC 8314 section 3.3), then the greeting."""
    yield from _upgrade(request, record)
    yield from _greeting(record)
    yield from _inside_tls(request, record)


def _greeting(record: _Recorder) -> Generator[Step, Outcome, None]:
    reply = yield from record.ask(ReadGreeting(), "greeting")
    if reply.severity != 2:
        raise _Ended(failure_of_reply(Stage.GREETING, reply))


def _upgrade(request: SessionRequest, record: _Recorder) -> Generator[Step, Outcome, None]:
    outcome = yield Upgrade(request.hello)
    if not isinstance(outcome, HandshakeFacts):
        record.end(outcome)
    assert isinstance(outcome, HandshakeFacts)
    record.seen["handshake"] = outcome
    record.transcript.append(f"* {outcome.version} with cipher {outcome.openssl_suite}")


def _inside_tls(request: SessionRequest, record: _Recorder) -> Generator[Step, Outcome, None]:
    yield from _hello_commands(request, record, Stage.EHLO_TLS, ("ehlo_tls", "helo_tls"))
    if request.envelope:
        yield from _envelope(record, Stage.MAIL_TLS, "mail_tls")


def _hello_commands(
    request: SessionRequest, record: _Recorder, stage: Stage, fields: tuple[str, str]
) -> Generator[Step, Outcome, SmtpReply | None]:
    """EHLO, and HELO where it is refused; gives the EHLO reply when it was accepted."""
    ehlo_field, helo_field = fields
    reply = yield from record.ask(Say(f"EHLO {request.ehlo}", stage), ehlo_field)
    if reply.severity == 2:
        return reply
    reply = yield from record.ask(Say(f"HELO {request.ehlo}", stage), helo_field)
    if reply.severity != 2:
        raise _Ended(failure_of_reply(stage, reply))
    return None


def _envelope(record: _Recorder, stage: Stage, field: str) -> Generator[Step, Outcome, None]:
    """MAIL FROM:<> and RSET, never RCPT; only with --envelope. A refusal is an answer, not the session's end."""
    yield from record.ask(Say("MAIL FROM:<>", stage), field)
    yield from record.ask(Say("RSET", stage))
