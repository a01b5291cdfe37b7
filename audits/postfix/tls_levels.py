"""The TLS levels of the Postfix SMTP client, in Postfix 3 words (postconf(5), smtp_tls_security_level)."""

from enum import StrEnum

from scanner.facts import Level


class TlsLevel(StrEnum):
    """A level that smtp(8) enforces, weakest first as Postfix orders them; INVALID skips the host instead."""

    INVALID = "invalid"
    """No level: a configuration or lookup error, after which Postfix does not use the host and defers the mail."""
    NONE = "none"
    MAY = "may"
    ENCRYPT = "encrypt"
    FINGERPRINT = "fingerprint"
    DANE = "dane"
    DANE_ONLY = "dane-only"
    VERIFY = "verify"
    SECURE = "secure"

    @property
    def rank(self) -> int:
        """The place in the order that Postfix compares by."""
        return list(TlsLevel).index(self)

    @property
    def checks_ca(self) -> bool:
        """The certificate must come from a CA of ours (verify, secure)."""
        return self in (TlsLevel.VERIFY, TlsLevel.SECURE)

    @property
    def needs_dnssec(self) -> bool:
        """The level rests on TLSA records (RFC 7672)."""
        return self in (TlsLevel.DANE, TlsLevel.DANE_ONLY)


TLS_LEVEL_OF = {
    Level.NONE: TlsLevel.NONE,
    Level.MAY: TlsLevel.MAY,
    Level.MUST_NOPEERMATCH: TlsLevel.ENCRYPT,
    Level.MUST: TlsLevel.VERIFY,
}
"""What the keywords of smtp_tls_per_site are called since Postfix 2.3."""


def tls_level(word: str) -> TlsLevel | None:
    """The level of a word in any case; None for every other word."""
    try:
        level = TlsLevel(word.lower())
    except ValueError:
        return None
    return None if level is TlsLevel.INVALID else level


def per_site_value(word: str) -> Level | None:
    """The keyword of a smtp_tls_per_site value in any case; None for every other text."""
    try:
        return Level(word.upper())
    except ValueError:
        return None
