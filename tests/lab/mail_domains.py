"""The domains of the lab beside one for each state: several MX hosts, odd MX records, DNS that fails (RFC 5321, 7505).

Host words: the name of a state is its MX host; whatever holds a dot is a name of its own.
"""

from enum import StrEnum

from msgspec import Struct


class Shape(StrEnum):
    """How far the outcome of a domain is determined by its hosts."""

    STEADY = "steady"
    SHUFFLED = "shuffled"
    """Equal preferences, or addresses of one name, that differ: no two deliveries need to end alike."""
    CUT_OFF = "cut-off"
    """Postfix gives up (smtp_mx_address_limit) before it comes to the hosts that answer: only "some MX" tells."""


class MailDomain(Struct, frozen=True, kw_only=True):
    """A domain with its MX hosts, as pairs of preference and host word, and further zone lines ({} is the domain)."""

    name: str
    hosts: tuple[tuple[int, str], ...] = ()
    lines: tuple[str, ...] = ()
    shape: Shape = Shape.STEADY


def several(name: str, *hosts: str, shape: Shape = Shape.STEADY) -> MailDomain:
    """Hosts in order of preference; "=" before a host gives it the preference of the host before it."""
    pairs: list[tuple[int, str]] = []
    for host in hosts:
        preference = pairs[-1][0] if host.startswith("=") else len(pairs) * 10 + 10
        pairs.append((preference, host.removeprefix("=")))
    return MailDomain(name=f"several-{name}.test", hosts=tuple(pairs), shape=shape)


def dns(name: str, *lines: str, hosts: tuple[tuple[int, str], ...] = (), shape: Shape = Shape.STEADY) -> MailDomain:
    return MailDomain(name=f"dns-{name}.test", hosts=hosts, lines=lines, shape=shape)


SEVERAL = [
    several("good-good", "good-rsa", "good-ecdsa"),
    several("good-expired", "good-rsa", "expired"),
    several("expired-good", "expired", "good-rsa"),
    several("good-no-tls", "good-rsa", "no-tls"),
    several("no-tls-good", "no-tls", "good-rsa"),
    several("refused-good", "refused", "good-rsa"),
    several("good-refused", "good-rsa", "refused"),
    several("refused-refused", "refused", "also-refused"),
    several("421-good", "greeting-421", "good-rsa"),
    several("good-421", "good-rsa", "greeting-421"),
    several("554-good", "greeting-554", "good-rsa"),
    several("good-554", "good-rsa", "greeting-554"),
    several("421-554", "greeting-421", "greeting-554"),
    several("502-good", "starttls-502", "good-rsa"),
    several("good-502", "good-rsa", "starttls-502"),
    several("expired-502-good", "expired", "starttls-502", "good-rsa"),
    several("454-good", "starttls-454", "good-rsa"),
    several("good-454", "good-rsa", "starttls-454"),
    several("broken-good", "tls-close", "good-rsa"),
    several("good-broken", "good-rsa", "tls-close"),
    several("broken-no-tls", "tls-close", "no-tls"),
    several("starttls-421-good", "starttls-421", "good-rsa"),
    several("starttls-454-close-good", "starttls-454-close", "good-rsa"),
    several("expired-self-signed", "expired", "self-signed"),
    several("no-tls-expired-good", "no-tls", "expired", "good-rsa"),
    several("session-limit", "expired", "self-signed", "good-rsa"),
    several("session-limit-behind-refused", "refused", "greeting-421", "expired", "good-rsa"),
    several("demanded-no-tls", "tls-demanded", "no-tls"),
    several("no-tls-demanded", "no-tls", "tls-demanded"),
    several("demanded-good", "tls-demanded", "good-rsa"),
    several("client-certificate-good", "client-certificate-required", "good-rsa"),
    several("good-client-certificate", "good-rsa", "client-certificate-required"),
    several("inside-550-good", "inside-mail-550", "good-rsa"),
    several("inside-450-good", "inside-mail-450", "good-rsa"),
    several("inside-close-good", "inside-close", "good-rsa"),
    several("mail-550-good", "mail-550", "good-rsa"),
    several("mail-450-good", "mail-450", "good-rsa"),
    several("old-and-new", "tls10-only", "tls13-only"),
    several("exim-postfix", "exim-good", "good-rsa"),
    several("exim-expired-postfix", "exim-expired", "good-rsa"),
    several("teaser-good", "greeting-teaser", "good-rsa"),
    several(
        "six-hosts",
        *("refused", "also-refused", "greeting-421", "greeting-450", "greeting-554", "good-rsa"),
        shape=Shape.CUT_OFF,
    ),
    several("equal-good", "good-rsa", "=good-ecdsa"),
    several("equal-good-expired", "good-rsa", "=expired", shape=Shape.SHUFFLED),
    several("equal-good-no-tls", "good-rsa", "=no-tls", shape=Shape.SHUFFLED),
    several("equal-good-502", "good-rsa", "=starttls-502", shape=Shape.SHUFFLED),
    several("equal-four", "good-rsa", "=good-ecdsa", "=exim-good", "=odd-good"),
    several("equal-bad-good", "expired", "=self-signed", "good-rsa"),
    several("twelve", *("good-rsa", "good-ecdsa", "root-included", "out-of-order", "cn-only", "wildcard") * 2),
]

NAMES = [
    dns("implicit", "{} A [everything]"),
    MailDomain(name="implicit.every.test", lines=("{} A [everything]",)),
    dns("top-wildcard", "{} A [wildcard-top]"),
    dns("implicit-refused", "{} A 127.0.0.99"),
    dns("no-such-host", "{} MX 10 nowhere.test."),
    dns("no-such-host-and-good", "{} MX 5 nowhere.test.", hosts=((10, "good-rsa"),)),
    dns("good-and-no-such-host", "{} MX 50 nowhere.test.", hosts=((10, "good-rsa"),)),
    dns("no-address", "{} MX 10 text.{}", "text.{} TXT lab"),
    dns("no-address-and-good", "{} MX 5 text.{}", "text.{} TXT lab", hosts=((10, "good-rsa"),)),
    dns("nothing", "{} TXT lab"),
    dns("null-mx", "{} MX 0 ."),
    dns("null-mx-and-good", "{} MX 0 .", hosts=((10, "good-rsa"),)),
    dns("good-and-null-mx", "{} MX 50 .", hosts=((10, "good-rsa"),)),
    dns("alias", "{} CNAME good-rsa.test."),
    dns("alias-to-nowhere", "{} CNAME nowhere.test."),
    dns("alias-loop", "{} CNAME loop.{}", "loop.{} CNAME {}"),
    dns("mx-is-alias", "{} MX 10 alias.{}", "alias.{} CNAME mx.good-rsa.test."),
    dns("mx-is-alias-of-everything", "{} MX 10 aliased.every.test.", "aliased.every.test. CNAME dns-implicit.test."),
    dns("mx-is-alias-twice", "{} MX 10 a.{}", "a.{} CNAME b.{}", "b.{} CNAME mx.good-rsa.test."),
    dns("mx-is-itself", "{} MX 10 {}", "{} A [everything]"),
    MailDomain(name="itself.every.test", lines=("{} MX 10 {}", "{} A [everything]")),
    dns("literal", "{} MX 10 [address-san]."),
    dns("literal-without-san", "{} MX 10 [good-rsa]."),
    dns(
        "two-addresses",
        "{} MX 10 two.every.test.",
        "two.every.test. A [everything]",
        "two.every.test. A [everything-too]",
    ),
    dns(
        "two-addresses-one-refused",
        "{} MX 10 half.every.test.",
        "half.every.test. A [everything]",
        "half.every.test. A 127.0.0.99",
    ),
    dns(
        "two-addresses-one-expired",
        "{} MX 10 pair.every.test.",
        "pair.every.test. A [everything]",
        "pair.every.test. A [everything-expired]",
        shape=Shape.SHUFFLED,
    ),
    dns(
        "six-addresses",
        "{} MX 10 six.every.test.",
        *(f"six.every.test. A 127.0.0.{last}" for last in range(101, 106)),
        "{} MX 20 implicit.every.test.",
        shape=Shape.CUT_OFF,
    ),
    dns(
        "many-addresses",
        "{} MX 10 many.every.test.",
        "many.every.test. A [everything]",
        *(f"many.every.test. A 127.0.0.{n}" for n in range(101, 104)),
    ),
    dns("submission-by-srv", "_submissions._tcp.{} SRV 0 1 465 mx.submission-good.test.", hosts=((10, "good-rsa"),)),
    dns("duplicate-host", hosts=((10, "good-rsa"), (20, "good-rsa"))),
    MailDomain(name="no-such-domain.test"),
    MailDomain(name="no-such-zone.nowhere"),
    dns("ipv6-only", "{} AAAA [ipv6-good]"),
    MailDomain(name="ipv6.every.test", lines=("{} AAAA [everything-ipv6]",)),
    dns(
        "both-families",
        "{} MX 10 both.every.test.",
        "both.every.test. A [everything]",
        "both.every.test. AAAA [everything-ipv6]",
    ),
    dns(
        "ipv6-without-tls",
        "{} MX 10 six-four.every.test.",
        "six-four.every.test. A [everything]",
        "six-four.every.test. AAAA [ipv6-no-tls]",
        shape=Shape.SHUFFLED,
    ),
    dns("ipv6-refused", "{} MX 10 r.every.test.", "r.every.test. A [everything]", "r.every.test. AAAA fd00:ffff::1"),
    MailDomain(name="xn--knig-5qa.test", hosts=((10, "good-rsa"),)),
    MailDomain(name="a.b.c.deep-name.test", hosts=((10, "good-rsa"),)),
    MailDomain(name="unsigned.example", hosts=((10, "good-rsa"),)),
    MailDomain(name="unsigned-expired.example", hosts=((10, "expired"),)),
    MailDomain(name="bogus.broken"),
    MailDomain(name="silent.lame"),
    dns("host-bogus", "{} MX 10 mx.broken."),
    dns("host-bogus-and-good", "{} MX 5 mx.broken.", hosts=((10, "good-rsa"),)),
]

MAIL_DOMAINS = [*SEVERAL, *NAMES]


def zone_lines(domain: MailDomain, addresses: dict[str, str]) -> list[str]:
    """The records of a domain; [state] in a line is the address of that state."""
    lines = [f"{{}} MX {preference} mx.{host}.test." for preference, host in domain.hosts]
    written = [line.replace("{}", f"{domain.name}.") for line in (*lines, *domain.lines)]
    for state, address in addresses.items():
        written = [line.replace(f"[{state}]", address) for line in written]
    return [line.replace(" ", " IN ", 1) for line in written]
