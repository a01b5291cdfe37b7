"""Host names as Postfix accepts them."""

import pytest

from audits.postfix.hostnames import a_labels, valid_hostname, valid_utf8_hostname


@pytest.mark.parametrize(
    "name", ["example.org", "a", "_dmarc.example.org", "a-b.c1", "1.2.3.4x", "A.B", "x" * 63 + ".org"]
)
def test_host_names(name: str) -> None:
    assert valid_hostname(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "example.org.", ".example.org", "a..b", "-a.org", "a-.org", "a b", "[a]", "a:25", "192.0.2.1",
     "bücher.de", "x" * 64 + ".org", "a." * 128 + "b", "a*b"],
)  # fmt: skip
def test_other_texts(name: str) -> None:
    assert not valid_hostname(name)


def test_u_labels_count_with_smtputf8() -> None:
    assert valid_utf8_hostname("bücher.example")
    assert a_labels("Bücher.example") == "xn--bcher-kva.example"
    assert not valid_utf8_hostname("bü cher.example")
    assert not valid_utf8_hostname("\udcff.example")
