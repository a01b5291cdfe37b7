"""smtp_tls_per_site: all combinations by rule, the 26 errors of 2.2.8, and properties of the order."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.postfix.errors import ConfigError
from audits.postfix.main_cf import parse_main_cf
from audits.postfix.parameters import parse_version
from audits.postfix.per_site import GlobalPolicy, effective_level, global_policy
from audits.postfix.resolution import Engine, Resolution, Role, Rule
from audits.postfix.tables import Found, Hit, LookupFailure, Miss, TableList
from audits.postfix.text_tables import parse_text_table
from audits.postfix.tls_levels import TlsLevel

NEXT_HOP, HOST = "example.org", "mx.example.net"
VALUES = ("", "NONE", "MAY", "MUST_NOPEERMATCH", "MUST")
SWITCHES = [GlobalPolicy(None, *switches) for switches in product((False, True), repeat=3)]
GLOBALS = SWITCHES + [GlobalPolicy(level) for level in TlsLevel if level is not TlsLevel.INVALID]
COMBINATIONS = list(product(VALUES, VALUES, SWITCHES))


def site(next_hop: str, host: str) -> TableList:
    """A table with these values; "" leaves the entry out."""
    lines = [f"{key} {value}\n" for key, value in ((NEXT_HOP, next_hop), (HOST, host)) if value]
    return TableList((parse_text_table("".join(lines), "tls_per_site"),))


def resolved(next_hop: str, host: str, policy: GlobalPolicy, engine: Engine = Engine.MODERN) -> Resolution:
    """The resolution for the two values."""
    return effective_level(policy, site(next_hop, host), NEXT_HOP, HOST, engine)


def by_the_documents(next_hop: str, host: str, policy: GlobalPolicy) -> TlsLevel:
    """TLS_README of 2.2.9, "The precedences between global and per-site TLS policies", word for word."""
    glob = {
        (True, True): TlsLevel.VERIFY,
        (True, False): TlsLevel.ENCRYPT,
    }.get((policy.enforce_tls, policy.enforce_peername), TlsLevel.MAY if policy.use_tls else TlsLevel.NONE)
    values = {next_hop, host} - {""}
    if not values:
        return glob
    if values == {"MAY"}:
        return TlsLevel.MAY if glob is TlsLevel.NONE else glob
    values -= {"MAY"}
    if "MUST" in values:
        return TlsLevel.VERIFY
    return TlsLevel.ENCRYPT if "MUST_NOPEERMATCH" in values else TlsLevel.NONE


@pytest.mark.parametrize("engine", [Engine.PATCHED, Engine.MODERN])
def test_all_200_combinations_follow_the_documents(engine: Engine) -> None:
    assert len(COMBINATIONS) == 200
    ours = {combination: resolved(*combination, engine).level for combination in COMBINATIONS}
    assert ours == {combination: by_the_documents(*combination) for combination in COMBINATIONS}


def test_3_decides_as_2_2_9_does_for_the_same_reasons() -> None:
    for combination in COMBINATIONS:
        assert resolved(*combination, Engine.PATCHED) == resolved(*combination, Engine.MODERN)


def test_2_2_8_differs_in_26_combinations() -> None:
    """The two bugs that the patch names: NONE+MAY (12), and MUST_NOPEERMATCH under a global check of the name (14)."""
    differing = {
        combination: resolved(*combination, Engine.BEFORE_PATCH)
        for combination in COMBINATIONS
        if resolved(*combination, Engine.BEFORE_PATCH).level is not resolved(*combination, Engine.PATCHED).level
    }
    none_and_may = {key: value for key, value in differing.items() if value.why[-1].rule is Rule.OLD_NONE_AND_MAY}
    nopeermatch = {key: value for key, value in differing.items() if value.why[-1].rule is Rule.OLD_NOPEERMATCH}
    assert (len(differing), len(none_and_may), len(nopeermatch)) == (26, 12, 14)
    for (next_hop, host, policy), resolution in none_and_may.items():
        assert {next_hop, host} == {"NONE", "MAY"}
        assert not (policy.enforce_tls and policy.enforce_peername)
        assert (resolution.level, by_the_documents(next_hop, host, policy)) == (TlsLevel.MAY, TlsLevel.NONE)
    for (next_hop, host, policy), resolution in nopeermatch.items():
        assert "MUST_NOPEERMATCH" in {next_hop, host} <= {"", "NONE", "MAY", "MUST_NOPEERMATCH"}
        assert policy.enforce_tls
        assert policy.enforce_peername
        assert (resolution.level, by_the_documents(next_hop, host, policy)) == (TlsLevel.VERIFY, TlsLevel.ENCRYPT)


def test_where_2_2_8_agrees_it_gives_the_same_reasons() -> None:
    for combination in COMBINATIONS:
        old, new = resolved(*combination, Engine.BEFORE_PATCH), resolved(*combination, Engine.PATCHED)
        assert (old.level is not new.level) == old.why[-1].rule.startswith("2.2.8")
        assert old.level is not new.level or old.why == new.why


ENGINES, POLICIES, ANY = st.sampled_from(Engine), st.sampled_from(GLOBALS), st.sampled_from(VALUES)


@given(ANY, ANY, POLICIES, ENGINES)
def test_it_never_matters_which_of_host_and_next_hop_has_which_value(
    one: str, other: str, policy: GlobalPolicy, engine: Engine
) -> None:
    if engine is not Engine.MODERN and policy.security_level is not None:
        return
    assert resolved(one, other, policy, engine).level is resolved(other, one, policy, engine).level


def test_a_stronger_key_never_weakens_except_in_three_named_cases() -> None:
    """Exhaustive: each value beside each other value under each global level, made one or more steps stronger.

    - NONE where nothing was: an entry NONE switches TLS off, whatever the global level.
    - MUST_NOPEERMATCH or MUST where the global level stood (nothing, or MAY): they replace even a stronger one.
    """
    seen = set()
    for policy, other, (weak, strong) in product(GLOBALS, VALUES, product(VALUES, VALUES)):
        if VALUES.index(weak) >= VALUES.index(strong):
            continue
        before, after = resolved(weak, other, policy).level, resolved(strong, other, policy).level
        if after.rank >= before.rank:
            continue
        if strong == "NONE":
            assert weak == ""
            assert after is TlsLevel.NONE
        else:
            assert weak in ("", "MAY")
            assert strong in ("MUST_NOPEERMATCH", "MUST")
            assert before is policy.level
            assert before.rank > after.rank >= TlsLevel.ENCRYPT.rank
        seen.add((strong, before.value, after.value))
    assert {(strong, after) for strong, _, after in seen} == {
        ("NONE", "none"),
        ("MUST_NOPEERMATCH", "encrypt"),
        ("MUST", "verify"),
    }
    assert ("MUST", "secure", "verify") in seen
    assert ("MUST_NOPEERMATCH", "verify", "encrypt") in seen


@pytest.mark.parametrize("level", [TlsLevel.DANE, TlsLevel.DANE_ONLY, TlsLevel.SECURE, TlsLevel.FINGERPRINT])
def test_must_replaces_every_newer_level_and_may_keeps_it(level: TlsLevel) -> None:
    assert resolved("MUST", "", GlobalPolicy(level)).level is TlsLevel.VERIFY
    assert resolved("", "MUST_NOPEERMATCH", GlobalPolicy(level)).level is TlsLevel.ENCRYPT
    assert resolved("MAY", "MAY", GlobalPolicy(level)).level is level


def test_the_reasons_tell_the_story() -> None:
    resolution = resolved("MAY", "NONE", GlobalPolicy(None, use_tls=True, enforce_tls=True, enforce_peername=False))
    assert [(reason.rule, reason.sentence) for reason in resolution.why] == [
        (
            Rule.GLOBAL,
            "main.cf: smtp_enforce_tls = yes and smtp_tls_enforce_peername = no make the global level encrypt.",
        ),
        (Rule.SPECIFIC_BEATS_MAY, "Next-hop and host differ: the more specific NONE beats MAY."),
        (Rule.SITE_BEATS_GLOBAL, "The value NONE replaces the global level encrypt: none."),
    ]
    assert [(lookup.role, lookup.key, lookup.found) for lookup in resolution.lookups] == [
        (Role.NEXT_HOP, NEXT_HOP, Hit("MAY", "tls_per_site:1")),
        (Role.HOST, HOST, Hit("NONE", "tls_per_site:2")),
    ]


KEY_FORMS = [
    ("[h]", "h", {"h", "[h]"}),
    ("[h]:25", "h", {"h", "[h]:25"}),
    ("[h]:smtp", "h", {"h", "[h]:smtp"}),
    ("h:25", "h", {"h", "h:25"}),
    ("dom", "mxh", {"dom", "mxh"}),
    ("dom:25", "mxh", {"dom:25", "mxh"}),
    ("sub.dom", "mxh", {"sub.dom", "mxh"}),
    ("[127.0.0.1]:25", "127.0.0.1", {"127.0.0.1", "[127.0.0.1]:25"}),
    ("DOM", "mxh", {"dom", "mxh"}),
]
CANDIDATES = {"h", "[h]", "[h]:25", "[h]:smtp", "h:25", "dom", "dom.", "dom:25", ".dom", "mxh", "[mxh]", "mxh:25",
              "mxh.", "127.0.0.1", "[127.0.0.1]", "[127.0.0.1]:25", "sub.dom", "smtp:[h]", "*", "com"}  # fmt: skip


@pytest.mark.parametrize(("next_hop", "host", "matching"), KEY_FORMS)
def test_which_keys_match(next_hop: str, host: str, matching: set[str]) -> None:
    found = {
        key
        for key in CANDIDATES
        if effective_level(GlobalPolicy(), TableList((parse_text_table(f"{key} MUST\n", "t"),)), next_hop, host).level
        is TlsLevel.VERIFY
    }
    assert found == matching


def test_a_host_that_is_the_next_hop_is_looked_up_once() -> None:
    table = TableList((parse_text_table("example.org MAY\n", "t"),))
    resolution = effective_level(GlobalPolicy(), table, "Example.ORG", "example.org")
    assert [lookup.role for lookup in resolution.lookups] == [Role.NEXT_HOP]
    assert resolution.why[1].rule is Rule.HOST_IS_NEXT_HOP


@pytest.mark.parametrize("value", ["encrypt", "MUST extra", "MUST # why", "OK"])
@pytest.mark.parametrize("key", [NEXT_HOP, HOST])
def test_an_unknown_value_skips_the_host_since_3_and_was_ignored_before(key: str, value: str) -> None:
    table = TableList((parse_text_table(f"{key} {value}\n", "t"),))
    modern = effective_level(GlobalPolicy(TlsLevel.MAY), table, NEXT_HOP, HOST)
    assert (modern.level, modern.status, modern.why[-1].rule) == (TlsLevel.INVALID, "4.7.5", Rule.UNKNOWN_VALUE)
    old = effective_level(GlobalPolicy(None, use_tls=True), table, NEXT_HOP, HOST, Engine.PATCHED)
    assert old.level is TlsLevel.MAY
    assert f'"{value}" for {key} is no TLS policy; Postfix 2.2.9 warns and ignores it' in old.warnings[0]


def test_after_an_error_for_the_next_hop_the_host_is_not_looked_up() -> None:
    table = TableList((parse_text_table(f"{NEXT_HOP} oops\n{HOST} MUST\n", "t"),))
    assert len(effective_level(GlobalPolicy(), table, NEXT_HOP, HOST).lookups) == 1


class Broken:
    """A table that fails for one key."""

    name = "hash:broken"

    def lookup(self, key: str) -> Found:
        return LookupFailure("the disk is gone") if key == HOST else Miss()


def test_a_lookup_error_skips_the_host() -> None:
    resolution = effective_level(GlobalPolicy(TlsLevel.MAY), TableList((Broken(),)), NEXT_HOP, HOST)
    assert (resolution.level, resolution.status) == (TlsLevel.INVALID, "4.3.0")
    assert resolution.why[-1].rule is Rule.LOOKUP_ERROR
    assert "the disk is gone" in resolution.why[-1].sentence


def test_without_a_table_the_global_level_stands() -> None:
    resolution = effective_level(GlobalPolicy(None, use_tls=True), None, NEXT_HOP, HOST)
    assert (resolution.level, resolution.lookups) == (TlsLevel.MAY, ())


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", TlsLevel.NONE),
        ("smtp_use_tls = yes", TlsLevel.MAY),
        ("smtp_enforce_tls = yes", TlsLevel.VERIFY),
        ("smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no", TlsLevel.ENCRYPT),
        ("smtp_tls_enforce_peername = yes", TlsLevel.NONE),
        ("smtp_tls_security_level = dane\nsmtp_enforce_tls = yes", TlsLevel.DANE),
        ("smtp_tls_security_level = Secure", TlsLevel.SECURE),
        ("smtp_tls_security_level = ${mine:may}", TlsLevel.MAY),
    ],
)
def test_the_global_level_comes_from_main_cf(text: str, level: TlsLevel) -> None:
    policy = global_policy(parse_main_cf(text, "main.cf"))
    assert policy.level is level
    assert policy.reason.sentence.endswith((f"the global level {level}.", "is the global level."))


def test_before_2_3_the_security_level_is_not_read() -> None:
    main_cf = parse_main_cf("smtp_tls_security_level = verify\nsmtp_use_tls = yes", "main.cf", parse_version("2.2.9"))
    assert global_policy(main_cf, Engine.PATCHED).level is TlsLevel.MAY


def test_a_global_level_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"^main.cf:1: smtp_tls_security_level = MUST: no such level"):
        global_policy(parse_main_cf("smtp_tls_security_level = MUST", "main.cf"))
