"""A main.cf with its tables: what hides, contradicts or cannot serve what."""

import pytest

from audits.postfix.lint import lint_main_cf

CA = "smtp_tls_CApath = /c\n"


def found(text: str) -> list[tuple[str, int, str]]:
    """Id, line and message, without what is said about old parameters."""
    messages = lint_main_cf(text, "main.cf")
    return [(m.id, m.line, m.message) for m in messages if m.id != "cf-replaced"]


@pytest.mark.parametrize("level", ["dane", "dane-only", "secure", "fingerprint"])
def test_must_lowers_better_levels(level: str) -> None:
    text = f"smtp_tls_security_level = {level}\n{CA}smtp_dns_support_level = dnssec\n"
    text += "smtp_tls_per_site = inline:{a=MUST}\n"
    assert ("cf-lowers", 4, f"MUST lowers the global level {level} to verify for a") in found(text)


@pytest.mark.parametrize("level", ["", "none", "may", "encrypt"])
def test_must_lowers_no_weaker_level(level: str) -> None:
    text = f"smtp_tls_security_level = {level}\n{CA}smtp_tls_per_site = inline:{{a=MUST, b=MUST_NOPEERMATCH}}\n"
    assert found(text) == []


def test_nopeermatch_lowers_verify_too() -> None:
    text = f"smtp_tls_security_level = verify\n{CA}smtp_tls_per_site = inline:{{a=MUST, b=MUST_NOPEERMATCH}}\n"
    assert [id for id, _, _ in found(text)] == ["cf-lowers"]


def test_entries_that_policy_maps_hide_are_not_judged() -> None:
    text = "smtp_tls_security_level = secure\n" + CA
    text += "smtp_tls_per_site = inline:{a=MUST}\nsmtp_tls_policy_maps = inline:{b=may}\n"
    assert [id for id, _, _ in found(text)] == ["cf-hidden-per-site"]


@pytest.mark.parametrize(
    "trust",
    ["smtp_tls_CAfile = /c", "smtp_tls_CApath = /c", "smtp_tls_trust_anchor_file = /c", "tls_append_default_CA = yes"],
)
def test_any_source_of_trust_is_enough(trust: str) -> None:
    text = "smtp_enforce_tls = yes\nsmtp_tls_per_site = inline:{a=MUST}\n"
    assert [id for id, _, _ in found(text)] == ["cf-no-ca", "cf-no-ca"]
    assert found(text + trust + "\n") == []


def test_a_tafile_is_a_source_of_trust_for_its_entry() -> None:
    text = "smtp_tls_policy_maps = inline:{{a = secure tafile=/c.pem}, {b = verify}}\n"
    assert [(id, message.rpartition(" ")[2]) for id, _, message in found(text)] == [("cf-no-ca", "b")]


def test_switches_that_are_not_read() -> None:
    text = "smtp_tls_security_level = may\nsmtp_use_tls = no\nsmtp_tls_enforce_peername = yes\n"
    assert [(id, line) for id, line, _ in found(text)] == [("cf-hidden-switches", 2), ("cf-hidden-switches", 3)]


def test_the_peername_switch_alone() -> None:
    assert [id for id, _, _ in found("smtp_tls_enforce_peername = yes\n")] == ["cf-peername-alone"]
    assert found("smtp_tls_enforce_peername = no\n") == []
    assert found("smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = yes\n" + CA) == []


def test_dane_in_a_table_needs_dnssec() -> None:
    text = "smtp_tls_policy_maps = inline:{a=dane, b=dane-only, c=may}\n"
    assert [message.rpartition(", so ")[2] for _, _, message in found(text)] == [
        "dane is only may",
        "dane-only delivers nothing",
    ]
    assert found(text + "smtp_dns_support_level = dnssec\n") == []


def test_entries_behind_others_are_not_reached() -> None:
    text = "smtp_tls_policy_maps = inline:{a=may} static:none inline:{A=dane, b=may}\nsmtp_dns_support_level = dnssec\n"
    assert [(id, message) for id, _, message in found(text)] == [
        ("cf-shadowed", '"a" is never reached: static:none answers before'),
        ("cf-shadowed", '"b" is never reached: static:none answers before'),
    ]


def test_a_broken_main_cf_is_still_judged_as_far_as_possible() -> None:
    text = "smtp_tls_security_level = $x$\nsmtp_use_tls = maybe\nsmtp_cname_overrides_servername = yes\n"
    assert sorted({id for id, _, _ in found(text)}) == ["cf-cname-override", "cf-expression", "cf-switch"]
