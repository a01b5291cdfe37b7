"""smtp_tls_policy_maps: keys, values and their errors."""

import pytest

from audits.postfix.parameters import parse_version
from audits.postfix.per_site import GlobalPolicy
from audits.postfix.policy_map import ATTRIBUTE_SINCE, keys_for, parse_entry, policy_level
from audits.postfix.resolution import Attribute, Rule
from audits.postfix.tables import Found, Hit, LookupFailure, Miss, TableList
from audits.postfix.text_tables import parse_text_table
from audits.postfix.tls_levels import TlsLevel


def table(text: str) -> TableList:
    """A policy table."""
    return TableList((parse_text_table(text, "tls_policy"),))


@pytest.mark.parametrize(
    ("next_hop", "keys"),
    [
        ("a.b.example.org", ("a.b.example.org", ".b.example.org", ".example.org", ".org")),
        ("org", ("org",)),
        ("[mx.example.org]:587", ("[mx.example.org]:587",)),
        ("[mx.example.org]", ("[mx.example.org]",)),
        ("example.org:587", ("example.org:587",)),
        ("192.0.2.1", ("192.0.2.1",)),
        ("bücher.example", ("bücher.example", ".example")),
    ],
)
def test_parents_are_tried_for_plain_domains_only(next_hop: str, keys: tuple[str, ...]) -> None:
    assert keys_for(next_hop) == keys


def test_without_smtputf8_a_u_label_has_no_parents() -> None:
    assert keys_for("bücher.example", utf8=False) == ("bücher.example",)


def test_the_nearest_key_decides() -> None:
    policies = table(".example.org encrypt\nb.example.org may\n.b.example.org secure match=.example.net\n")
    assert policy_level(GlobalPolicy(), policies, "b.example.org").level is TlsLevel.MAY
    assert policy_level(GlobalPolicy(), policies, "c.example.org").level is TlsLevel.ENCRYPT
    resolution = policy_level(GlobalPolicy(), policies, "a.b.Example.org")
    assert (resolution.level, resolution.attributes) == (TlsLevel.SECURE, (Attribute("match", ".example.net"),))
    assert [type(lookup.found) for lookup in resolution.lookups] == [Miss, Hit]
    assert "tls_policy:3: the policy for .b.Example.org" in resolution.why[-1].sentence


def test_without_an_entry_the_global_level_stands() -> None:
    resolution = policy_level(GlobalPolicy(TlsLevel.DANE), table("example.net may\n"), "example.org")
    assert (resolution.level, resolution.why[-1].rule) == (TlsLevel.DANE, Rule.GLOBAL_STANDS)


class Broken:
    """A table that fails for every key."""

    name = "hash:broken"

    def lookup(self, key: str) -> Found:
        return LookupFailure("the disk is gone")


def test_errors_skip_the_host_with_4_7_5() -> None:
    for policies in (table("example.org oops\n"), TableList((Broken(),))):
        resolution = policy_level(GlobalPolicy(TlsLevel.MAY), policies, "example.org")
        assert (resolution.level, resolution.status) == (TlsLevel.INVALID, "4.7.5")


@pytest.mark.parametrize(
    ("value", "level", "attributes"),
    [
        ("encrypt", "encrypt", ()),
        ("MAY", "may", ()),
        ("may, ciphers=high,exclude=aNULL:MD5", "may", (("ciphers", "high"), ("exclude", "aNULL:MD5"))),
        ("secure Match=example.net:.example.org match=nexthop", "secure",
         (("match", "example.net:.example.org"), ("match", "nexthop"))),
        ("verify servername=a.example protocols=", "verify", (("servername", "a.example"), ("protocols", ""))),
        ("fingerprint match=AA:BB|CC:DD", "fingerprint", (("match", "AA:BB|CC:DD"),)),
        ("dane-only connection_reuse=Yes connection_reuse=no", "dane-only",
         (("connection_reuse", "Yes"), ("connection_reuse", "no"))),
        ("secure tafile=/a.pem tafile=/b.pem", "secure", (("tafile", "/a.pem"), ("tafile", "/b.pem"))),
    ],
)  # fmt: skip
def test_entries(value: str, level: str, attributes: tuple[tuple[str, str], ...]) -> None:
    entry = parse_entry(value)
    assert (entry.error, entry.level) == ("", level)
    assert entry.attributes == tuple(Attribute(*pair) for pair in attributes)


BAD_ENTRIES = {
    ",": "empty",
    "MUST": "level",
    "half-dane": "level",
    "encrypt # comment": "malformed",
    "encrypt ciphers": "malformed",
    "encrypt ciphers = high": "malformed",
    "encrypt cipher=high": "unknown-attribute",
    "encrypt {ciphers = high}": "malformed",
    "encrypt ciphers=": "empty-attribute",
    "secure match=": "empty-attribute",
    "secure tafile=": "empty-attribute",
    "encrypt match=example.org": "misplaced",
    "dane match=example.org": "misplaced",
    "encrypt tafile=/a.pem": "misplaced",
    "encrypt ciphers=high ciphers=high": "repeated",
    "encrypt protocols=TLSv1.2 protocols=TLSv1.2": "repeated",
    "encrypt exclude=MD5 exclude=MD5": "repeated",
    "encrypt servername=a.example servername=a.example": "repeated",
    "encrypt servername=": "bad-value",
    "encrypt servername=[a]": "bad-value",
    "encrypt servername=192.0.2.1": "bad-value",
    "encrypt connection_reuse=maybe": "bad-value",
    "encrypt policy_type=sts": "unknown-attribute",
    "encrypt enable_rpk=yes": "unknown-attribute",
}


@pytest.mark.parametrize(("value", "code"), BAD_ENTRIES.items())
def test_entries_that_postfix_refuses(value: str, code: str) -> None:
    entry = parse_entry(value)
    assert entry.code == code
    assert entry.error


def test_attributes_at_none_are_ignored_with_a_warning() -> None:
    entry = parse_entry("none ciphers=high junk")
    assert (entry.level, entry.error, len(entry.warnings)) == (TlsLevel.NONE, "", 2)
    assert policy_level(GlobalPolicy(), table("example.org none x\n"), "example.org").warnings


@pytest.mark.parametrize(
    ("value", "version", "code"),
    [
        ("dane", "2.10", "level"),
        ("dane", "2.11", ""),
        ("fingerprint match=AA", "2.4", "level"),
        ("encrypt exclude=MD5", "2.5", "unknown-attribute"),
        ("encrypt servername=a.example", "3.3", "unknown-attribute"),
        ("encrypt enable_rpk=yes", "3.9", ""),
        ("secure policy_type=sts policy_domain=a.example policy_ttl=86400", "3.10", ""),
        ("secure policy_type=STS { policy_string = version: STSv1 }", "3.10", ""),
        ("secure policy_type=tlsa", "3.10", "bad-value"),
        ("secure policy_type=sts policy_ttl=-1", "3.10", "bad-value"),
        ("secure policy_type=sts policy_failure=sts-policy-invalid", "3.10", ""),
        ("secure policy_type=sts policy_failure=expired", "3.10", "bad-value"),
        ("secure mx_host_pattern=mx.example", "3.10", "misplaced"),
        ("secure {match=a}b", "3.10", "malformed"),
    ],
)
def test_what_depends_on_the_version(value: str, version: str, code: str) -> None:
    assert parse_entry(value, parse_version(version)).code == code


def test_the_value_of_a_braced_attribute_is_one_line() -> None:
    entry = parse_entry("secure policy_type=sts { policy_string =  mode:\t enforce }", parse_version("3.11"))
    assert entry.values("policy_string") == ("mode: enforce",)


def test_every_attribute_has_a_first_version() -> None:
    assert len(ATTRIBUTE_SINCE) == 14
