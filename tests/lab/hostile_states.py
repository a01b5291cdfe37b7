"""Servers that wear a scanner down: limits, trickles, floods, and answers that change with every connection."""

from .odd_states import CLOSE, EHLO, odd
from .states import State

NO_STARTTLS = EHLO + "250 8BITMIME\r\n"
LONG = "x" * 600


def hostile(name: str, **script: str | tuple[str, ...]) -> State:
    return odd(f"hostile-{name}", hostile=True, **script)


SUSTAINS_ALL = [
    hostile("limit-1", limit="1"),
    hostile("limit-2", limit="2"),
    hostile("teaser", greeting=("220-odd.example.org\r\n", "@pause 6", "220 odd.example.org ESMTP\r\n")),
    hostile("drip-whole-greeting", greeting="@drip 220 odd ESMTP"),
    hostile("late-greeting", greeting=("@pause 12", "220 odd.example.org ESMTP\r\n")),
    hostile("slow-everywhere", ehlo=("@pause 4", EHLO + "250 STARTTLS\r\n"), ehlo_tls=("@pause 4", "250 odd\r\n")),
]
"""Right or open is allowed, and nothing else: these take mail at every level."""

CANNOT_BE_KNOWN = [
    hostile("limit-0", greeting=("421 4.7.0 Too many connections\r\n", CLOSE)),
    hostile("limit-1-no-starttls", limit="1", ehlo=NO_STARTTLS),
    hostile("limit-1-tls-broken", limit="1", starttls=("220 Ready\r\n", CLOSE)),
    hostile("starttls-at-times", ehlo=NO_STARTTLS, ehlo_2=EHLO + "250 STARTTLS\r\n"),
    hostile("tls-at-times", starttls=("220 Ready\r\n", CLOSE), starttls_2="220 Ready\r\n"),
    hostile("drip-greeting", greeting=f"@drip 220-{LONG}"),
    hostile("drip-ehlo", ehlo=f"@drip 250-{LONG}"),
    hostile("drip-inside", ehlo_tls=f"@drip 250-{LONG}"),
    hostile("drip-handshake", starttls=("220 Ready\r\n", f"@drip \x16\x03\x03\x20\x00{LONG}")),
    hostile("endless-greeting", greeting=("220 ", "@endless")),
    hostile("endless-ehlo", ehlo=("250-", "@endless")),
    hostile("endless-starttls", starttls=("220 ", "@endless")),
    hostile("endless-inside", ehlo_tls=("250-", "@endless")),
    hostile("100-mb-greeting", greeting=("@flood 100", "220 odd ESMTP\r\n")),
    hostile("100-mb-ehlo", ehlo=("@flood 100", "250 STARTTLS\r\n")),
    hostile("100-mb-inside", ehlo_tls=("@flood 100", "250 odd\r\n")),
    hostile("silent-greeting", greeting="@hang"),
    hostile("silent-ehlo", ehlo=(EHLO, "@hang")),
    hostile("half-greeting", greeting=("220-odd.example.org\r\n", CLOSE)),
    hostile("half-ehlo", ehlo=(EHLO, CLOSE)),
]
"""What these sustain cannot be learned from outside in bounded time: no level may be denied for lack of TLS."""

BREAKS_TLS = [
    hostile("endless-handshake", starttls=("220 Ready\r\n", "\x16\x03\x03\x40\x00", "@endless")),
    hostile("100-mb-handshake", starttls=("220 Ready\r\n", "@flood 100")),
]
"""What comes instead of a handshake is none, however much of it: mail goes in clear, after a delay."""

HOSTILE_STATES = [*SUSTAINS_ALL, *CANNOT_BE_KNOWN, *BREAKS_TLS]
