"""The words of a simulation: what happens to mail, at one host and in the end, and why (smtp(8), TLS_README)."""

from enum import StrEnum

import msgspec


class Word(StrEnum):
    """How Postfix calls a TLS connection in its log ("Verified TLS connection established to ...")."""

    ANONYMOUS = "Anonymous"
    UNTRUSTED = "Untrusted"
    TRUSTED = "Trusted"
    VERIFIED = "Verified"
    UNKNOWN = "unknown"
    """There is a TLS connection; which of the others Postfix would say needs a fact that nobody asked for."""


class Kind(StrEnum):
    """What a delivery comes to; the first four also say what one host does."""

    CLEAR = "clear"
    TLS = "tls"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"
    NEXT_MX = "next-mx"
    """This host only: Postfix goes on to the next one."""
    DEFERRED = "deferred"
    THEN_CLEAR = "deferred-then-clear"
    """TLS breaks at the level may: in clear once the message is minimal_backoff_time old."""
    DISCARDED = "discarded"
    """The transport table throws the mail away."""


class SimulationCause(StrEnum):
    """Causes that only a sender's configuration has; all others are those of audits.reasons."""

    POLICY_INVALID = "policy-invalid"
    NO_TRUST_ANCHORS = "no-trust-anchors"
    NO_COMMON_PROTOCOL = "no-common-protocol"
    NO_COMMON_CIPHER = "no-common-cipher"
    NEXT_HOP_MISMATCH = "next-hop-mismatch"
    FINGERPRINT_MISMATCH = "fingerprint-mismatch"
    WRAPPERMODE = "wrappermode"
    WRAPPERMODE_LEVEL = "wrappermode-needs-encrypt"
    NOT_SCANNED = "not-scanned"
    NOT_SIMULATED = "not-simulated"
    TRANSPORT = "transport"


class Why(msgspec.Struct, frozen=True):
    """A cause, one word of audits.reasons or of SimulationCause, and the fact behind it."""

    cause: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}" if self.detail else self.cause


class Step(msgspec.Struct, frozen=True):
    """One attempt at one host: CLEAR, TLS, BOUNCED, NEXT_MX or UNKNOWN.

    `word` is what the log says of TLS, also where the attempt fails afterwards. `late`: it failed behind EHLO and
    STARTTLS, which counts against smtp_mx_session_limit. `silent`: the host answered nothing when it was scanned.
    `later`: what the same host does in clear, once the message is old enough, where TLS broke at the level may.
    `seen`: what an UNKNOWN host did during the scan, by a reply that may be of the moment: NEXT_MX or BOUNCED.
    """

    kind: Kind
    word: Word | None = None
    why: Why | None = None
    late: bool = False
    silent: bool = False
    later: "Step | None" = None
    seen: Kind | None = None


class Outcome(msgspec.Struct, frozen=True, order=True):
    """What happens to a message in the end: `kind`, and for TLS the word of the log.

    `cause` and `detail` say why it does not simply arrive. `late` marks a delivery or bounce that follows a deferral.
    """

    kind: Kind
    word: Word | None = None
    cause: str = ""
    detail: str = ""
    late: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the mail arrives, if late."""
        return self.kind in (Kind.CLEAR, Kind.TLS, Kind.THEN_CLEAR)

    def __str__(self) -> str:
        if self.kind is Kind.TLS:
            return f"{self.word} TLS" if self.word is not Word.UNKNOWN else "TLS (unknown)"
        return {Kind.THEN_CLEAR: "deferred, then clear", Kind.NEXT_MX: "next MX"}.get(self.kind, str(self.kind))
