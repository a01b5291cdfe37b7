"""The domains of the lab: the TLS state of each, its servers, and the grade that it must get (ARCHITECTURE section 5).

Names end in .example (RFC 2606), addresses are from 192.0.2.0/24 (RFC 5737): nobody real is meant.
"""

import hashlib
import ssl
from collections.abc import Callable, Iterable, Mapping

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from audits.demo.behaviour import MUST_ISSUE_STARTTLS, Behaviour, Close, Listen, Script, Send, TlsServer, reply
from audits.demo.certificates import Authority, Credential, Validity, self_signed
from audits.demo.dns_answers import Trouble, Zone
from audits.demo.local_openssl import handshake_works
from audits.verdicts import Grade

CANARIES = ("signed-well.example", "signed-badly.example")
"""What the self-check asks the lab's name server, as it asks a real resolver for names of the world."""


class LabHost(Struct, frozen=True):
    """One MX host: its name, its address, and its server on each port."""

    name: str
    address: str
    servers: Mapping[int, Behaviour]


class LabPolicy(Struct, frozen=True):
    """What a domain in a signed zone publishes beside TLSRPT: a TLSA record, and an MTA-STS policy with its host."""

    tlsa: str
    host: str
    address: str
    credential: Credential
    text: str


class LabDomain(Struct, frozen=True):
    """One domain: what it is like, in one line, the grade it must get, its MX hosts in order of preference."""

    name: str
    state: str
    expected: Grade
    hosts: tuple[LabHost, ...] = ()
    policy: LabPolicy | None = None


Maker = Callable[[Authority, str], Behaviour]
"""Makes the server for the MX host of this name."""


class _State(Struct, frozen=True):
    """A line of the table below; no makers: the domain has a null MX (RFC 7505)."""

    label: str
    expected: Grade
    state: str
    makers: tuple[Maker, ...] = ()
    submission: bool = False
    publishes: bool = False


def _starttls(host: str, credential: Credential) -> Behaviour:
    return Behaviour(name=host, tls=TlsServer(chains=(credential.chain_pem,)))


def _good(authority: Authority, host: str) -> Behaviour:
    return _starttls(host, authority.credential(host))


def _expired(authority: Authority, host: str) -> Behaviour:
    return _starttls(host, authority.credential(host, validity=Validity.EXPIRED))


def _wrong_name(authority: Authority, host: str) -> Behaviour:
    return _starttls(host, authority.credential("mail.elsewhere.example"))


def _incomplete(authority: Authority, host: str) -> Behaviour:
    return _starttls(host, authority.credential(host, complete=False))


def _self_signed(_authority: Authority, host: str) -> Behaviour:
    return _starttls(host, self_signed(host))


def _no_tls(_authority: Authority, host: str) -> Behaviour:
    return Behaviour(name=host)


def _legacy(authority: Authority, host: str) -> Behaviour:
    chains = (authority.credential(host).chain_pem,)
    return Behaviour(
        name=host, tls=TlsServer(chains=chains, minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1)
    )


def _broken(_authority: Authority, host: str) -> Behaviour:
    return Behaviour(name=host, after_220=(Listen(), Send(b"This was meant to become a TLS handshake.\r\n"), Close()))


def _only_clear(authority: Authority, host: str) -> Behaviour:
    """5xx inside TLS: Postfix returns the mail at every level that lets TLS begin. (Were the connection lost instead,
    Postfix at MAY would come again later in clear.)"""
    no = reply(550, "5.7.1 No mail inside TLS")
    return msgspec.structs.replace(_good(authority, host), ehlo_tls=no, helo_tls=no)


def _tls_required(authority: Authority, host: str) -> Behaviour:
    return msgspec.structs.replace(_good(authority, host), mail=MUST_ISSUE_STARTTLS)


def _throttled(_authority: Authority, host: str) -> Behaviour:
    greeting: Script = (*reply(421, f"4.7.0 {host} Too many connections, try again later"), Close())
    return Behaviour(name=host, greeting=greeting)


_MODERN = (
    _State("must", Grade.MUST, "a good certificate, also on the submission ports 465 and 587", (_good,), True),
    _State("published", Grade.MUST, "publishes DANE, MTA-STS and TLSRPT in a signed zone", (_good,), publishes=True),
    _State("tlsrequired", Grade.MUST, "a good certificate, and mail only inside TLS", (_tls_required,)),
    _State("expired", Grade.MUST_NOPEERMATCH, "an expired certificate", (_expired,)),
    _State("selfsigned", Grade.MUST_NOPEERMATCH, "a self-signed certificate", (_self_signed,)),
    _State("wrongname", Grade.MUST_NOPEERMATCH, "a certificate for another name", (_wrong_name,)),
    _State("two-mx", Grade.MUST_NOPEERMATCH, "two MX hosts: one good, one with an expired cert.", (_good, _expired)),
    _State("notls", Grade.MAY, "no STARTTLS", (_no_tls,)),
    _State("broken", Grade.MAY, "STARTTLS is offered, but no handshake follows", (_broken,)),
    _State("onlyclear", Grade.NONE, "STARTTLS works, and every session inside TLS is refused", (_only_clear,)),
    _State("throttled", Grade.INCONCLUSIVE, "says 421 to everybody", (_throttled,)),
    _State("nullmx", Grade.NO_MAIL, "a null MX: takes no mail"),
)
_LEGACY = _State("legacy", Grade.MUST_NOPEERMATCH, "speaks TLS 1.0 and 1.1 only", (_legacy,))
_INSTEAD_OF_LEGACY = _State("incomplete", Grade.MUST_NOPEERMATCH, "does not send its intermediate", (_incomplete,))
"""For machines whose OpenSSL no longer speaks TLS 1.0."""


def lab_domains(authority: Authority) -> tuple[LabDomain, ...]:
    """All domains of the lab; each host has an address of its own."""
    legacy = _legacy(authority, "mx.example.org").tls
    states = (*_MODERN, _LEGACY if legacy and handshake_works(legacy) else _INSTEAD_OF_LEGACY)
    return tuple(_domain(authority, state, number) for number, state in enumerate(states, 1))


def _domain(authority: Authority, state: _State, number: int) -> LabDomain:
    name = f"{state.label}.example"
    labels = ["mx"] if len(state.makers) == 1 else [f"mx{at}" for at, _ in enumerate(state.makers, 1)]
    hosts = tuple(
        LabHost(f"{label}.{name}", f"192.0.2.{10 * number + at}", _servers(maker(authority, f"{label}.{name}"), state))
        for at, (label, maker) in enumerate(zip(labels, state.makers, strict=True))
    )
    policy = _policy(authority, hosts[0], name, f"192.0.2.{10 * number + 9}") if state.publishes else None
    return LabDomain(name, state.state, state.expected, hosts, policy)


def _policy(authority: Authority, mx: LabHost, name: str, address: str) -> LabPolicy:
    """The TLSA record holds the digest of the key that the host shows at port 25 (RFC 7672 section 3.1.1)."""
    tls = mx.servers[25].tls
    assert tls is not None
    key = x509.load_pem_x509_certificate(tls.chains[0]).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    host = f"mta-sts.{name}"
    text = f"version: STSv1\r\nmode: enforce\r\nmx: {mx.name}\r\nmax_age: 2592000\r\n"
    return LabPolicy(f"3 1 1 {digest}", host, address, authority.credential(host), text)


def _servers(mail: Behaviour, state: _State) -> dict[int, Behaviour]:
    if not state.submission:
        return {25: mail}
    return {25: mail, 465: msgspec.structs.replace(mail, implicit_tls=True), 587: mail}


def lab_zone(domains: Iterable[LabDomain]) -> Zone:
    """The DNS of these domains: MX records, addresses, SRV records for submission (RFC 8314 section 5.1), policy.

    And the canaries, by which a resolver shows that it validates.
    """
    good, bad = CANARIES
    zone: dict[str, dict[str, list[str]] | Trouble] = {good: {"A": ["192.0.2.1"]}, bad: Trouble.SERVFAIL}
    for domain in domains:
        exchanges = [f"{10 * at} {host.name}." for at, host in enumerate(domain.hosts, 1)]
        zone[domain.name] = {"MX": exchanges or ["0 ."]}
        for host in domain.hosts:
            zone[host.name] = {"A": [host.address]}
            for port, service in ((465, "_submissions"), (587, "_submission")):
                if port in host.servers:
                    zone[f"{service}._tcp.{domain.name}"] = {"SRV": [f"0 1 {port} {host.name}."]}
        if policy := domain.policy:
            zone[f"_25._tcp.{domain.hosts[0].name}"] = {"TLSA": [policy.tlsa]}
            zone[f"_mta-sts.{domain.name}"] = {"TXT": ['"v=STSv1; id=20261121;"']}
            zone[policy.host] = {"A": [policy.address]}
            zone[f"_smtp._tls.{domain.name}"] = {"TXT": [f'"v=TLSRPTv1; rua=mailto:tls-reports@{domain.name}"']}
    return zone


def signed_names(domains: Iterable[LabDomain]) -> tuple[str, ...]:
    """The names at and below which the lab's zone counts as signed."""
    return (CANARIES[0], *(domain.name for domain in domains if domain.policy))
