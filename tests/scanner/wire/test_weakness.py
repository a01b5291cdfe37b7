"""The classes that a search looks for, and the proof that they cover what a standard forbids."""

from fnmatch import fnmatchcase

import pytest

from scanner.wire.registry import all_suites, offered_suites, suite_code, suite_name
from scanner.wire.weakness import SEARCH_CLASSES, UNDISPUTED, classes_of, suites_of_class, uncovered, worst_first

NAMES = [one.name for one in all_suites() if one.code not in (0x00FF, 0x5600)]


def matching(*patterns: str) -> list[str]:
    return [name for name in NAMES if any(fnmatchcase(name, pattern) for pattern in patterns)]


def test_every_suite_but_the_undisputed_has_a_class():
    undisputed = {suite_code(name) for name in UNDISPUTED}
    for code in (*offered_suites(tls13=False), *offered_suites(tls13=True)):
        assert bool(classes_of(code)) == (code not in undisputed), suite_name(code)


def test_no_class_is_empty_and_each_has_one_name():
    names = [entry.name for entry in SEARCH_CLASSES]
    assert len(set(names)) == len(names)
    assert all(suites_of_class(name) for name in names)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("TLS_DH_anon_WITH_RC4_128_MD5", {"anonymous", "rc4", "md5", "dhe"}),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", {"static-rsa", "export", "des", "cbc", "cbc-sha1"}),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", {"cbc"}),
        ("TLS_CHACHA20_POLY1305_SHA256", {"chacha20"}),
        ("TLS_AES_128_CCM_8_SHA256", {"ccm", "ccm-8"}),
        ("TLS_SHA256_SHA256", {"null"}),
        ("TLS_AEGIS_256_SHA512", {"other"}),
        ("TLS_AES_128_GCM_SHA256", set()),
    ],
)
def test_classes_of_a_suite(name, classes):
    code = suite_code(name)
    assert code is not None
    assert classes_of(code) == classes


def test_a_code_point_without_a_name_is_searched_for_as_well():
    assert classes_of(0xABCD) == {"other"}


def test_worst_comes_first_and_nothing_is_lost():
    offered = offered_suites(tls13=False)
    ordered = worst_first(offered)
    assert sorted(ordered) == sorted(offered)
    assert {suite_name(code) for code in ordered[-4:]} == {name for name in UNDISPUTED if "WITH" in name}
    names = [suite_name(code) for code in ordered]
    expected = [
        "TLS_RSA_WITH_NULL_MD5",
        "TLS_DH_anon_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ]
    assert sorted(expected, key=names.index) == expected


def test_a_standard_of_patterns_is_covered():
    forbidden = matching("*_NULL_*", "*_RC4_*", "*_EXPORT_*", "*_DES_CBC_*", "TLS_RSA_*", "TLS_DH_*", "TLS_DHE_*")
    assert len(forbidden) > 150
    assert uncovered(forbidden) == ()


def test_a_list_of_allowed_suites_is_covered():
    allowed = {*UNDISPUTED, "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}
    assert uncovered(set(NAMES) - allowed) == ()


def test_what_is_not_covered_is_named():
    undisputed, modern = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"
    assert uncovered([undisputed, "TLS_RSA_WITH_RC4_128_MD5"]) == (undisputed,)
    assert uncovered(["TLS_MADE_UP"]) == ("TLS_MADE_UP",)
    assert uncovered([undisputed], ["TLSv1.2"]) == ()
    assert uncovered([modern], ["TLSv1.2"]) == (modern,)
