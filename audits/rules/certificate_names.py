"""Whom a certificate names, and what it may be used for (RFC 9525, RFC 5280)."""

from collections.abc import Iterable

from audits.established.certificates import ServedChains, Stapling
from audits.names import IdentifierKind, name_match
from audits.rules.chain_scope import OfChains, leaves, unread, unreadable, words
from audits.rules.question import Item, NoExpectations, met, rule
from scanner.answers import Fact

SHOWN = 8
"""Names in one line of evidence."""


class Names(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`common_name`: whether the common name counts where there is no dNSName."""

    common_name: bool = False


class Purposes(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Extended key usages that must and must not be there; `needed`: the extension itself must be there."""

    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    needed: bool = False


class Usages(OfChains, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Key usages of which one must be there, where the certificate has the extension."""

    any_of: tuple[str, ...]


@rule("CERT-001", "The certificate names the host", result_type="certificate-host-mismatch")
def host_named(seen: ServedChains, wants: Names) -> Iterable[Item]:
    """Whether the certificate has the name by which the server is reached: the MX host, or the target of an SRV record.

    The server is asked without SNI, as Postfix does at MUST. Mail programs send SNI: there a wrong name stays open.

    Why it matters: senders that verify certificates (MUST, MTA-STS, mail programs) compare exactly this name.

    How to mend it: have a certificate issued with the MX host name as a dNSName in subjectAltName; the name in the
    greeting and the domain behind the @ do not matter for this.
    """
    for leaf in leaves(seen, wants):
        match = name_match(leaf, seen.host)
        counts = match.matched and (wants.common_name or match.kind is not IdentifierKind.COMMON_NAME)
        kind = "common name" if match.kind is IdentifierKind.COMMON_NAME else str(match.kind)
        more = f" and {len(match.presented) - SHOWN} more" if len(match.presented) > SHOWN else ""
        shown = ", ".join(match.presented[:SHOWN]) + more
        said = match.identifier if match.matched else f"not among {shown or 'no name'}"
        if unread(leaf, "certificate"):
            yield unreadable(leaf, "subjectAltName")
        elif counts or seen.as_clients_ask:
            yield met(counts, f"{seen.host}: {kind} {said}")
        else:
            open_ = f"{seen.host}: without a server name (SNI) {kind} {said}; with one it may be another certificate"
            yield Item(Fact.INCONCLUSIVE, open_)


@rule("CERT-002", "The certificate has subject alternative names")
def alternative_names(seen: ServedChains, wants: OfChains) -> Iterable[Item]:
    """Whether the names stand in subjectAltName, and not in the common name alone.

    Why it matters: current clients and MTA-STS senders do not look at the common name; Postfix and DANE still do.

    How to mend it: have the certificate issued anew; public authorities fill subjectAltName by themselves.
    """
    for leaf in leaves(seen, wants):
        names = (*leaf.names_dns, *leaf.names_ip)
        if not names and unread(leaf, "subjectAltName"):
            yield unreadable(leaf, "subjectAltName")
            continue
        said = ", ".join(names[:SHOWN]) if names else f"no dNSName; CN {', '.join(leaf.common_names) or 'none'}"
        yield met(bool(names), words(leaf, said))


@rule("CERT-003", "The certificate is meant for servers", result_type="validation-failure")
def purposes(seen: ServedChains, wants: Purposes) -> Iterable[Item]:
    """Whether the extended key usage allows and forbids what the standard wants.

    Why it matters: OpenSSL refuses a server's certificate that is meant for something else; one that is meant for
    everything can be misused when its key is stolen.

    How to mend it: have it issued with extendedKeyUsage serverAuth. Public authorities drop clientAuth: a Postfix that
    shows the same certificate as a client (smtp_tls_cert_file) may need another one.
    """
    for leaf in leaves(seen, wants):
        given = leaf.extended_key_usage
        if unread(leaf, "extKeyUsage"):
            yield unreadable(leaf, "extKeyUsage")
            continue
        missing = [usage for usage in wants.all_of if usage not in given]
        wrong = [usage for usage in wants.none_of if usage in given]
        fits = not wants.needed if not given else not missing and not wrong
        yield met(fits, words(leaf, f"extended key usage {', '.join(given) or 'not given'}"))


@rule("CERT-004", "The key may be used for TLS", result_type="validation-failure")
def usages(seen: ServedChains, wants: Usages) -> Iterable[Item]:
    """Whether the key usage of the certificate, where it has one, allows signatures or key exchange.

    Why it matters: clients that check it break the handshake off.

    How to mend it: have it issued with keyUsage digitalSignature (and keyEncipherment for RSA without forward secrecy).
    """
    for leaf in leaves(seen, wants):
        if unread(leaf, "keyUsage"):
            yield unreadable(leaf, "keyUsage")
            continue
        fits = not leaf.key_usage or not set(wants.any_of).isdisjoint(leaf.key_usage)
        yield met(fits, words(leaf, f"key usage {', '.join(leaf.key_usage) or 'not given'}"))


@rule("CERT-005", "The server's certificate is no authority")
def no_authority(seen: ServedChains, wants: OfChains) -> Iterable[Item]:
    """Whether the server's certificate may not issue others (basicConstraints cA).

    Why it matters: who steals such a key from a mail server makes certificates for every name that trusts it.

    How to mend it: have a certificate issued for the server, and keep the authority's key elsewhere.
    """
    for leaf in leaves(seen, wants):
        if unread(leaf, "basicConstraints"):
            yield unreadable(leaf, "basicConstraints")
            continue
        yield met(leaf.is_ca is not True, words(leaf, f"cA: {'yes' if leaf.is_ca else 'no'}"))


@rule("CERT-006", "A certificate that demands stapling gets it")
def must_staple(seen: Stapling, _: NoExpectations) -> Iterable[Item]:
    """Whether an OCSP response comes with a certificate that demands one (RFC 7633).

    Why it matters: clients that take the demand seriously refuse the certificate without it. Postfix cannot staple.

    How to mend it: have the certificate issued without the TLS feature extension ("must staple").
    """
    yield Item(seen.stapled, f"demanded, and stapled: {seen.stapled}")
