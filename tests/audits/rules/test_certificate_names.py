"""Whom a certificate names, and what it may be used for."""

import msgspec

from audits.established.certificates import Stapling
from audits.rules.certificate_names import Names, Purposes, host_named, purposes
from scanner.answers import Fact
from tests.audits.rules.chains import GOOD, INTER, MX, ROOT, broken, one, served
from tests.audits.rules.examples import Examples
from tests.certificate_factory import (
    CLIENT_AUTH,
    SERVER_AUTH,
    Recipe,
    alternative_names,
    dns,
    extended_key_usage,
    ip,
    issue,
    key_usage,
    leaf,
)

ANY_USE = "2.5.29.37.0"


def used(*oids: str, more: tuple[bytes, ...] = ()) -> object:
    """A leaf with these extended key usages; none: without the extension."""
    usage = (extended_key_usage(*oids),) if oids else ()
    return one(MX, extensions=(alternative_names(dns(MX)), *usage, *more))


EXAMPLES = {
    "CERT-001": Examples(
        expects={},
        passes=(
            *(GOOD, one("*.example.org"), one("other.example.net", MX)),
            msgspec.structs.replace(GOOD, as_clients_ask=False),
        ),
        fails=(
            one("other.example.net"),
            one(common_names=(MX,)),
            one("*.org"),
            one("a.mx.example.org"),
            broken("subjectAltName"),
        ),
        opens=(
            msgspec.structs.replace(one("other.example.net"), as_clients_ask=False),
            *(broken("extensions"), broken("certificate")),
        ),
    ),
    "CERT-002": Examples(
        expects={},
        passes=(GOOD, one(ip("192.0.2.1"))),
        fails=(one(common_names=(MX,)), broken("extKeyUsage")),
        opens=(broken("subjectAltName"), broken("certificate")),
    ),
    "CERT-003": Examples(
        expects={"all_of": ["serverAuth"], "none_of": ["anyExtendedKeyUsage"], "needed": True},
        passes=(GOOD, used(SERVER_AUTH, CLIENT_AUTH)),
        fails=(used(), used(CLIENT_AUTH), used(SERVER_AUTH, ANY_USE)),
        opens=(broken("extKeyUsage"), broken("extensions")),
    ),
    "CERT-004": Examples(
        expects={"any_of": ["digitalSignature", "keyEncipherment"]},
        passes=(GOOD, used(SERVER_AUTH, more=(key_usage(0),)), used(SERVER_AUTH, more=(key_usage(2),))),
        fails=(used(SERVER_AUTH, more=(key_usage(5, 6),)),),
        opens=(broken("keyUsage"), broken("certificate")),
    ),
    "CERT-005": Examples(
        expects={},
        passes=(GOOD,),
        fails=(served(INTER), served(ROOT, anchored=False)),
        opens=(broken("basicConstraints"), broken("certificate")),
    ),
    "CERT-006": Examples(
        expects={},
        passes=(Stapling(Fact.YES),),
        fails=(Stapling(Fact.NO),),
        opens=(Stapling(Fact.INCONCLUSIVE), Stapling(Fact.NOT_TESTED)),
    ),
}


def test_the_common_name_counts_where_the_standard_says_so():
    seen = one(common_names=(MX,))
    assert [item.met for item in host_named.ask(seen, Names(common_name=True))] == [Fact.YES]


def test_without_the_extension_everything_is_allowed_unless_it_is_needed():
    bare = served(issue(Recipe(common_names=(MX,)), INTER))
    assert [item.met for item in purposes.ask(bare, Purposes(all_of=("serverAuth",)))] == [Fact.YES]


def test_many_names_are_cut_in_the_evidence():
    (item,) = host_named.ask(served(leaf(INTER, *(f"h{n}.example.net" for n in range(50)))), Names())
    assert "and 42 more" in item.evidence
