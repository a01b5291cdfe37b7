"""The words for levels."""

import pytest

from audits.postfix.tls_levels import TLS_LEVEL_OF, TlsLevel, per_site_value, tls_level
from scanner.facts import Level


def test_the_order_is_the_one_of_postfix() -> None:
    words = ["invalid", "none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure"]
    assert sorted(TlsLevel, key=lambda level: level.rank) == words


def test_the_old_keywords_have_their_modern_names() -> None:
    assert {value.value: level.value for value, level in TLS_LEVEL_OF.items()} == {
        "NONE": "none",
        "MAY": "may",
        "MUST_NOPEERMATCH": "encrypt",
        "MUST": "verify",
    }


@pytest.mark.parametrize("word", ["MUST", "must", "Must"])
def test_case_does_not_matter(word: str) -> None:
    assert per_site_value(word) is Level.MUST
    assert tls_level("Dane-ONLY") is TlsLevel.DANE_ONLY


@pytest.mark.parametrize("word", ["", "invalid", "half-dane", "MUST", "may "])
def test_other_words_are_no_levels(word: str) -> None:
    assert tls_level(word) is None


@pytest.mark.parametrize("word", ["", "encrypt", "MUST extra", "MUST # why", "OK", "DUNNO"])
def test_other_words_are_no_keywords(word: str) -> None:
    assert per_site_value(word) is None
