"""The states that the scripted server shows: refusals, silence and rubbish at every moment of the dialogue."""

from .states import Kind, State

EHLO = "250-odd.example.org\r\n"
CLOSE = "@close"
ALERT = "\x15\x03\x01\x00\x02\x02"
"""A fatal TLS alert in clear; the description follows (RFC 8446 section 6)."""


def odd(name: str, *, hostile: bool = False, **script: str | tuple[str, ...]) -> State:
    """A scripted state; one piece need not be a tuple."""
    pieces = {moment: said if isinstance(said, tuple) else (said,) for moment, said in script.items()}
    return State(name=name, kind=Kind.ODD, script=pieces, hostile=hostile)


GREETINGS = [
    odd("odd-good"),
    odd("greeting-421", greeting=("421 4.3.2 Try later\r\n", CLOSE)),
    odd("greeting-450", greeting=("450 4.3.2 Try later\r\n", CLOSE)),
    odd("greeting-554", greeting="554 5.7.1 Not you\r\n"),
    odd("greeting-554-close", greeting=("554 5.7.1 Not you\r\n", CLOSE)),
    odd("greeting-close", greeting=CLOSE),
    odd("greeting-reset", greeting="@reset"),
    odd("greeting-many-lines", greeting="220-one\r\n220-two\r\n220 odd.example.org ESMTP\r\n"),
    odd("greeting-no-esmtp", greeting="220 odd.example.org ready\r\n"),
    odd("greeting-bare-lf", greeting="220 odd.example.org ESMTP\n"),
    odd("greeting-8-bit", greeting="220 \xe9\xff\x00 ESMTP\r\n"),
    odd("greeting-teaser", greeting=("220-odd.example.org\r\n", "@pause 6", "220 odd.example.org ESMTP\r\n")),
    odd("greeting-3-s", greeting=("@pause 3", "220 odd.example.org ESMTP\r\n")),
    odd("greeting-long-line", greeting="220 " + "x" * 1500 + "\r\n"),
    odd("greeting-250", greeting="250 odd.example.org\r\n"),
    odd("greeting-rubbish", greeting="hello\r\n"),
]

EHLO_IN_CLEAR = [
    odd("ehlo-502-helo-good", ehlo="502 5.5.1 What?\r\n"),
    odd("ehlo-502-helo-502", ehlo="502 5.5.1 What?\r\n", helo="502 5.5.1 What?\r\n"),
    odd("ehlo-450-helo-450", ehlo="450 4.7.1 Later\r\n", helo="450 4.7.1 Later\r\n"),
    odd("ehlo-450-helo-good", ehlo="450 4.7.1 Later\r\n"),
    odd("ehlo-421", ehlo=("421 4.7.1 Later\r\n", CLOSE)),
    odd("ehlo-close", ehlo=CLOSE),
    odd("ehlo-xxxxxxxa", ehlo=EHLO + "250-XXXXXXXA\r\n250 8BITMIME\r\n"),
    odd("ehlo-lower-case", ehlo=EHLO + "250-starttls\r\n250 8BITMIME\r\n"),
    odd("ehlo-mixed-case", ehlo=EHLO + "250-StartTLS\r\n250 8BITMIME\r\n"),
    odd("ehlo-starttls-parameter", ehlo=EHLO + "250-STARTTLS required\r\n250 8BITMIME\r\n"),
    odd("ehlo-starttls-dash", ehlo=EHLO + "250-STARTTLS-NOW\r\n250 8BITMIME\r\n"),
    odd("ehlo-starttls-first-line", ehlo="250 STARTTLS\r\n"),
    odd("ehlo-starttls-behind-name", ehlo="250 odd.example.org STARTTLS\r\n"),
    odd("ehlo-starttls-last-line", ehlo=EHLO + "250 STARTTLS\r\n"),
    odd("ehlo-starttls-tab", ehlo=EHLO + "250-STARTTLS\tnow\r\n250 8BITMIME\r\n"),
    odd("ehlo-starttls-leading-blank", ehlo=EHLO + "250- STARTTLS\r\n250 8BITMIME\r\n"),
    odd("ehlo-60-lines", ehlo=EHLO + "".join(f"250-X{i}\r\n" for i in range(60)) + "250 STARTTLS\r\n"),
    odd("ehlo-no-code-on-last", ehlo=EHLO + "250-STARTTLS\r\n250\r\n"),
    odd("ehlo-codes-differ", ehlo="220-odd.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n"),
    odd("ehlo-220", ehlo="220-odd.example.org\r\n220 STARTTLS\r\n"),
]

STARTTLS_REPLIES = [
    *(
        odd(f"starttls-{code}", starttls=f"{code} {code[0]}.7.0 No\r\n")
        for code in ("450", "451", "454", "500", "501", "502", "503", "530", "550", "554")
    ),
    odd("starttls-354", starttls="354 Go on\r\n"),
    odd("starttls-250", starttls="250 Go on\r\n"),
    odd("starttls-221", starttls="221 Go on\r\n"),
    odd("starttls-421", starttls=("421 4.7.0 Later\r\n", CLOSE)),
    odd("starttls-421-open", starttls="421 4.7.0 Later\r\n"),
    odd("starttls-454-close", starttls=("454 4.7.0 No\r\n", CLOSE)),
    odd("starttls-502-close", starttls=("502 5.5.1 No\r\n", CLOSE)),
    odd("starttls-454-tls-demanded", starttls="454 4.7.0 No\r\n", mail="530 5.7.0 STARTTLS first\r\n"),
    odd("starttls-502-tls-demanded", starttls="502 5.5.1 No\r\n", mail="530 5.7.0 STARTTLS first\r\n"),
    odd("starttls-close", starttls=CLOSE),
    odd("starttls-reset", starttls="@reset"),
    odd("starttls-hang", starttls="@hang"),
    odd("starttls-rubbish", starttls="go ahead\r\n"),
    odd("starttls-many-lines", starttls="220-Ready\r\n220 to start TLS\r\n"),
    odd("starttls-slow", starttls=("@pause 3", "220 Ready\r\n")),
    odd("starttls-injected", starttls="220 Ready\r\n250 injected\r\n"),
    odd("starttls-injected-many", starttls="220 Ready\r\n" + "250-injected\r\n" * 20 + "250 injected\r\n"),
]

HANDSHAKES = [
    odd("tls-close", starttls=("220 Ready\r\n", CLOSE)),
    odd("tls-reset", starttls=("220 Ready\r\n", "@pause 0.1", "@reset")),
    odd("tls-hang", starttls=("220 Ready\r\n", "@hang")),
    odd("tls-rubbish", starttls=("220 Ready\r\n", "@pause 0.1", "500 What is this?\r\n" * 3, CLOSE)),
    odd("tls-alert-handshake", starttls=("220 Ready\r\n", "@pause 0.1", ALERT + "\x28", CLOSE)),
    odd("tls-alert-version", starttls=("220 Ready\r\n", "@pause 0.1", ALERT + "\x46", CLOSE)),
    odd("tls-alert-internal", starttls=("220 Ready\r\n", "@pause 0.1", ALERT + "\x50", CLOSE)),
    odd("tls-broken-tls-demanded", starttls=("220 Ready\r\n", CLOSE), mail="530 5.7.0 STARTTLS first\r\n"),
    odd("client-certificate-tls12", tls=("client-certificate", "tls12")),
    odd("client-certificate-tls13", tls=("client-certificate", "tls13")),
    odd("client-certificate-demanded", tls=("client-certificate", "tls13"), mail="530 5.7.0 STARTTLS first\r\n"),
    odd("needs-sni", tls="needs-sni"),
    odd("one-group", tls="one-group"),
    odd("odd-tls12", tls="tls12"),
    odd("odd-tls13", tls="tls13"),
]

INSIDE = [
    odd("inside-close", handshake=CLOSE),
    odd("inside-reset", handshake="@reset"),
    odd("inside-hang", handshake="@hang"),
    odd("inside-greeting", handshake="220 odd.example.org ESMTP\r\n"),
    odd("inside-421", ehlo_tls=("421 4.7.0 Later\r\n", CLOSE)),
    odd("inside-ehlo-450", ehlo_tls="450 4.7.0 Later\r\n"),
    odd("inside-ehlo-502", ehlo_tls="502 5.5.1 What?\r\n"),
    odd("inside-ehlo-502-helo-502", ehlo_tls="502 5.5.1 What?\r\n", helo_tls="502 5.5.1 What?\r\n"),
    odd("inside-ehlo-450-helo-450", ehlo_tls="450 4.7.0 Later\r\n", helo_tls="450 4.7.0 Later\r\n"),
    odd("inside-ehlo-close", ehlo_tls=CLOSE),
    odd("inside-starttls-again", ehlo_tls=EHLO + "250 STARTTLS\r\n"),
    odd("inside-ehlo-bare", ehlo_tls="250 odd.example.org\r\n"),
    odd("inside-mail-450", mail_tls="450 4.7.0 Later\r\n"),
    odd("inside-mail-550", mail_tls="550 5.7.0 Never\r\n"),
    odd("inside-mail-530", mail_tls="530 5.7.0 STARTTLS first\r\n"),
    odd("inside-mail-421", mail_tls=("421 4.7.0 Later\r\n", CLOSE)),
    odd("inside-mail-close", mail_tls=CLOSE),
]

MAIL_IN_CLEAR = [
    odd("clear-mail-450", mail="450 4.7.0 Later\r\n"),
    odd("clear-mail-550", mail="550 5.7.0 Never\r\n"),
    odd("clear-mail-530", mail="530 5.7.0 STARTTLS first\r\n"),
    odd("clear-mail-530-no-starttls", ehlo=EHLO + "250 8BITMIME\r\n", mail="530 5.7.0 STARTTLS first\r\n"),
    odd("clear-mail-421", mail=("421 4.7.0 Later\r\n", CLOSE)),
    odd("clear-mail-close", mail=CLOSE),
    odd("mail-refused-everywhere", mail="550 5.7.0 Never\r\n", mail_tls="550 5.7.0 Never\r\n"),
]

ODD_STATES = [
    *GREETINGS,
    *EHLO_IN_CLEAR,
    *STARTTLS_REPLIES,
    *HANDSHAKES,
    *INSIDE,
    *MAIL_IN_CLEAR,
]
