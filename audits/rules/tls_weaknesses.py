"""Known attacks, where they were tried."""

from collections.abc import Iterable

from audits.established.tls_weaknesses import (
    CCS_INJECTION,
    HEARTBLEED,
    RENEGOTIATION,
    ROBOT,
    CommandInjection,
    Ssl2Ciphers,
    TriedAttacks,
)
from audits.rules.question import Item, NoExpectations, rule
from scanner.answers import Fact

_INVERSE = {Fact.YES: Fact.NO, Fact.NO: Fact.YES}


def _not_vulnerable(seen: TriedAttacks, name: str) -> Item:
    answer = seen.vulnerable.get(name, Fact.NOT_TESTED)
    detail = f" ({seen.details[name]})" if name in seen.details else ""
    return Item(_INVERSE.get(answer, answer), f"vulnerable: {answer}{detail}")


@rule("VULN-001", "Not vulnerable to ROBOT")
def robot(seen: TriedAttacks, _: NoExpectations) -> Iterable[Item]:
    """Whether the server tells right from wrong padding of RSA key exchange (CVE-2017-13099 and its like).

    Why it matters: the difference decrypts recorded sessions and signs in the server's name, in minutes.

    How to mend it: update the TLS library or the appliance; smtpd_tls_exclude_ciphers = kRSA takes the attack away.
    """
    yield _not_vulnerable(seen, ROBOT)


@rule("VULN-002", "Not vulnerable to Heartbleed")
def heartbleed(seen: TriedAttacks, _: NoExpectations) -> Iterable[Item]:
    """Whether the server answers a heartbeat with its own memory (CVE-2014-0160).

    Why it matters: keys, passwords and mail lie in that memory.

    How to mend it: OpenSSL 1.0.1g or later; then change the keys and certificates, which must be taken as stolen.
    """
    yield _not_vulnerable(seen, HEARTBLEED)


@rule("VULN-003", "Not vulnerable to CCS injection")
def ccs_injection(seen: TriedAttacks, _: NoExpectations) -> Iterable[Item]:
    """Whether the server takes ChangeCipherSpec at the wrong time (CVE-2014-0224).

    Why it matters: an attacker between two such OpenSSLs chooses their keys.

    How to mend it: OpenSSL 1.0.1h, 1.0.0m, 0.9.8za or later.
    """
    yield _not_vulnerable(seen, CCS_INJECTION)


@rule("VULN-004", "Clients cannot renegotiate without end")
def client_renegotiation(seen: TriedAttacks, _: NoExpectations) -> Iterable[Item]:
    """Whether the server refuses or limits renegotiation that the client begins.

    Why it matters: each costs the server far more than the client.

    How to mend it: tls_ssl_options = NO_RENEGOTIATION (Postfix 3.4 and later, OpenSSL 1.1.0h and later).
    """
    yield _not_vulnerable(seen, RENEGOTIATION)


@rule("VULN-005", "Commands in clear are not obeyed inside TLS")
def command_injection(seen: CommandInjection, _: NoExpectations) -> Iterable[Item]:
    """Whether commands that came in clear behind STARTTLS are thrown away (CVE-2011-0411, RFC 3207 section 4.2).

    Why it matters: an attacker puts commands before those of the client, and the server takes them as protected.

    How to mend it: Postfix 2.4.16, 2.5.12, 2.6.9, 2.7.3, 2.8.0 or later; update proxies that speak STARTTLS.
    """
    yield Item(_INVERSE.get(seen.obeyed, seen.obeyed), f"obeyed: {seen.obeyed}")


@rule("VULN-006", "No cipher of SSL 2.0 is accepted")
def ssl2_ciphers(seen: Ssl2Ciphers, _: NoExpectations) -> Iterable[Item]:
    """Whether a hello of SSL 2.0 is given a cipher.

    Why it matters: a server that shares its RSA key with one that speaks SSL 2.0 can be decrypted through it (DROWN,
    CVE-2016-0800), however good its own TLS is.

    How to mend it: smtpd_tls_protocols = >=TLSv1.2 (before Postfix 3.6: !SSLv2, !SSLv3, ...); OpenSSL 1.1.0 and later
    have no SSL 2.0.
    """
    if seen.ciphers:
        yield Item(Fact.NO, "accepted: " + ", ".join(seen.ciphers))
    else:
        yield Item(_INVERSE.get(seen.spoken, seen.spoken), f"SSL 2.0 is spoken: {seen.spoken}")
