"""How a probe can end without an answer: values, never exceptions that cross a room.

A `ProbeFailure` is evidence that a question stayed open. It is never evidence for a "no".
"""

import errno
from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """The step of a probe that did not come to its end, in the order of a session."""

    DNS = "dns"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    MAIL = "mail"
    STARTTLS = "starttls"
    HANDSHAKE = "handshake"
    EHLO_TLS = "ehlo-tls"
    MAIL_TLS = "mail-tls"
    POLICY_FETCH = "policy-fetch"


class Kind(StrEnum):
    """In which way the step ended. The first group says that nobody was asked at all."""

    ADDRESS_NOT_PUBLIC = "address-not-public"
    EXCLUDED = "excluded"
    NO_LOCAL_IPV6 = "no-local-ipv6"
    FAMILY_NOT_ASKED = "family-not-asked"
    PROVIDER_PAUSED = "provider-paused"
    STOPPED = "stopped"

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    CLOSED = "closed"
    TEMPORARY = "temporary-reply"
    """A 4xx reply: throttling, greylisting, trouble of the moment."""
    PERMANENT = "permanent-reply"
    """A 5xx reply."""
    PROTOCOL = "protocol-error"
    """Bytes that the protocol does not allow, or more of them than we read."""
    TLS = "tls-error"
    """The handshake or a record failed: an alert, or bytes that are not TLS."""

    SERVFAIL = "servfail"
    BOGUS = "bogus"
    """The resolver refuses what it can see: the signatures are wrong (RFC 4035 section 5)."""
    DNS_REFUSED = "dns-refused"
    BAD_ANSWER = "bad-answer"


NOT_ASKED = frozenset(
    {
        Kind.ADDRESS_NOT_PUBLIC,
        Kind.EXCLUDED,
        Kind.NO_LOCAL_IPV6,
        Kind.FAMILY_NOT_ASKED,
        Kind.PROVIDER_PAUSED,
        Kind.STOPPED,
    }
)
"""Kinds that stand for a question which was never put to the server."""


class SmtpReply(msgspec.Struct, frozen=True):
    """One complete SMTP reply (RFC 5321 section 4.2).

    `lines` holds the text behind the code of each line, decoded as latin-1 so that no byte is lost.
    """

    code: int
    lines: tuple[str, ...] = ()

    @property
    def severity(self) -> int:
        """The first digit of the code: 2 success, 3 go on, 4 temporary, 5 permanent."""
        return self.code // 100

    @property
    def keywords(self) -> dict[str, str]:
        """The service extensions of an EHLO reply (RFC 5321 section 4.1.1.1): keyword in upper case -> parameters.

        Words are told apart as Postfix does: by blanks and "=", not by other white space.
        """
        pairs = (line.lstrip(" =").replace("=", " ", 1).partition(" ") for line in self.lines[1:])
        return {word.upper(): rest.strip() for word, _, rest in pairs if word}

    @property
    def text(self) -> str:
        """The reply on one line, as people quote it in a log."""
        return " ".join((str(self.code), *self.lines)).strip()


class ProbeFailure(msgspec.Struct, frozen=True, tag="failure"):
    """A question that stayed open: at which stage, in which way, and the peer's own words."""

    stage: Stage
    kind: Kind
    detail: str = ""
    reply: SmtpReply | None = None

    @property
    def asked(self) -> bool:
        """False when we chose not to put the question (excluded, not public, no route)."""
        return self.kind not in NOT_ASKED

    def __str__(self) -> str:
        words = f"{self.stage}: {self.kind}"
        said = self.reply.text if self.reply else self.detail
        return f"{words} ({said})" if said else words


class ProtocolError(Exception):
    """A peer sent bytes that its protocol forbids, or more than a limit allows.

    Raised by the sans-I/O cores; the shell that feeds the core turns it into a `ProbeFailure`.
    """


LOCAL_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of connect(2) and socket(2) that tell of this machine and nothing of the peer."""


class LocalTroubleError(Exception):
    """This machine ran out of something (descriptors, ports, memory): the run stops, because every answer would lie."""


def refuse_local_trouble(error: OSError) -> None:
    """Raises LocalTroubleError where an OSError is our own machine's, so that no peer is blamed for it."""
    if error.errno in LOCAL_ERRNOS:
        raise LocalTroubleError(
            f"this machine cannot open more connections ({error.strerror}): use fewer --jobs, or raise `ulimit -n`"
        ) from error
