"""Extensions and compression of TLS up to version 1.2."""

from collections.abc import Iterable

from audits.established.tls_features import CbcProtection, ExportKeys, OlderTlsFeatures
from audits.rules.question import Item, NoExpectations, met, rule
from audits.rules.suite_patterns import some
from scanner.answers import Fact

_INVERSE = {Fact.YES: Fact.NO, Fact.NO: Fact.YES}


def _there(name: str, seen: Fact) -> Item:
    return Item(seen, f"{name}: {seen}")


def _absent(name: str, seen: Fact) -> Item:
    return Item(_INVERSE.get(seen, seen), f"{name}: {seen}")


@rule("TLS-010", "The extended master secret is supported")
def extended_master_secret(seen: OlderTlsFeatures, _: NoExpectations) -> Iterable[Item]:
    """Whether TLS up to 1.2 binds its keys to the whole handshake (RFC 7627).

    Why it matters: without it an attacker can make two connections share their keys (triple handshake) and carry one
    side's authentication into the other.

    How to mend it: run Postfix with OpenSSL 1.1.0 or later; no parameter turns it off.
    """
    yield _there("extended_master_secret", seen.extended_master_secret)


@rule("TLS-011", "Renegotiation is secure")
def secure_renegotiation(seen: OlderTlsFeatures, _: NoExpectations) -> Iterable[Item]:
    """Whether TLS up to 1.2 signals secure renegotiation (RFC 5746).

    Why it matters: without it an attacker can put commands before those of the client (CVE-2009-3555). A Postfix with
    OpenSSL 3 refuses such a server: mail that demands encryption is not delivered to it.

    How to mend it: run Postfix with OpenSSL 0.9.8m or later; replace a middlebox that takes the extension away.
    """
    yield _there("renegotiation_info", seen.secure_renegotiation)


@rule("TLS-012", "TLS does not compress")
def compression(seen: OlderTlsFeatures, _: NoExpectations) -> Iterable[Item]:
    """Whether TLS-level compression is refused.

    Why it matters: the length of what is compressed gives away its content (CRIME, CVE-2012-4929).

    How to mend it: tls_ssl_options = NO_COMPRESSION; OpenSSL 1.1.0 and later do not compress unasked.
    """
    yield _absent("compression", seen.compression)


@rule("TLS-013", "MACs are not truncated")
def truncated_hmac(seen: OlderTlsFeatures, _: NoExpectations) -> Iterable[Item]:
    """Whether the extension truncated_hmac (RFC 6066 section 7) is left alone.

    Why it matters: it cuts the MAC to 80 bits, and there are attacks on it.

    How to mend it: OpenSSL never had it; look for another TLS library or a middlebox in front of the server.
    """
    yield _absent("truncated_hmac", seen.truncated_hmac)


@rule("TLS-014", "The heartbeat extension is not there")
def heartbeat(seen: OlderTlsFeatures, _: NoExpectations) -> Iterable[Item]:
    """Whether the heartbeat extension (RFC 6520) is left alone.

    Why it matters: mail has no use for it, and it is where Heartbleed was (CVE-2014-0160). That it is offered does not
    say that the server is vulnerable: VULN-002 does.

    How to mend it: run OpenSSL 1.1.1 or later, which has none.
    """
    yield _absent("heartbeat", seen.heartbeat)


@rule("TLS-015", "CBC suites are protected by encrypt-then-MAC")
def encrypt_then_mac(seen: CbcProtection, _: NoExpectations) -> Iterable[Item]:
    """Whether a server that takes CBC suites supports encrypt_then_mac (RFC 7366).

    Why it matters: CBC with the MAC inside leaks the length of its padding by time (Lucky Thirteen) unless the library
    hides that with great care.

    How to mend it: run Postfix with OpenSSL 1.1.0 or later; or take the CBC suites away (smtpd_tls_exclude_ciphers =
    SHA1, SHA256, SHA384 leaves AEAD suites alone).
    """
    if seen.suites:
        yield Item(seen.encrypt_then_mac, f"encrypt_then_mac: {seen.encrypt_then_mac}, with {some(seen.suites, 3)}")
    elif seen.open:
        yield Item(Fact.INCONCLUSIVE, "CBC suites were neither accepted nor refused")
    else:
        yield met(True, "no CBC suite is accepted")


@rule("TLS-016", "There are no keys of export strength")
def export_keys(seen: ExportKeys, _: NoExpectations) -> Iterable[Item]:
    """Whether the server refuses every suite of export strength, and with it the weak keys made for them.

    Why it matters: keys of 512 bits are broken in hours for little money; whoever has one reads and changes mail to
    clients that can be talked down to it (FREAK, CVE-2015-0204; Logjam, CVE-2015-4000).

    How to mend it: remove smtpd_tls_dh512_param_file and `export` from smtpd_tls_ciphers; run OpenSSL 1.1.0 or later.
    """
    shown = f", RSA key of {seen.bits} bits" if seen.bits is not None else ""
    words = {Fact.YES: "refused", Fact.NO: "accepted"}.get(seen.refused, f"{seen.refused}")
    yield Item(Fact.NO if seen.bits is not None else seen.refused, f"export suites: {words}{shown}")
