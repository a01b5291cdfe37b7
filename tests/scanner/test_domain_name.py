"""Names that people write become A-labels, and what cannot be one is told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.domain_name import BadNameError, ascii_name, printable, shown


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.Org", "example.org"),
        ("example.org.", "example.org"),
        ("localhost", "localhost"),
        ("3com.example", "3com.example"),
        ("r3---sn-a.example", "r3---sn-a.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("ｅｘａｍｐｌｅ。org", "example.org"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
        (".".join(["a" * 49] * 5 + ["org"]), ".".join(["a" * 49] * 5 + ["org"])),
    ],
)
def test_written_names(written: str, name: str) -> None:
    assert ascii_name(written) == name


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "there is no domain name"),
        (".", "there is no domain name"),
        ("*.example.org", "wildcard"),
        (".example.org", "leading dot"),
        ("a..example", "a label is missing"),
        ("_dmarc.example.org", "underscore"),
        ("exam ple.org", "the character ' ' cannot"),
        ("exam\x00ple.org", "the character U\\+0000 cannot"),
        ('"example.org"', "the character '\"' cannot"),
        ("-a.example", "begins or ends with a hyphen"),
        ("a-.example", "begins or ends with a hyphen"),
        ("a" * 64 + ".example", "64 characters, at most 63"),
        (".".join(["a" * 50] * 5 + ["org"]), "258 characters, at most 253"),
        ("192.0.2.300", "the last label is a number"),
        ("example.123", "the last label is a number"),
        ("☃.example", "no name that IDNA allows .* xn-- form"),
        ("ü" * 1001, "longer than 253"),
        ("ü" * 60 + ".example", "IDNA"),
        ("a\u202eb.example", r"a\\u202eb"),
        ("\udcff.example", "IDNA"),
    ],
)
def test_what_is_no_name(written: str, why: str) -> None:
    with pytest.raises(BadNameError, match=why):
        ascii_name(written)


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("[xn--bcher-kva.example]:587", "[bücher.example]:587"),
        ("example.org", "example.org"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("xn--a.example", "xn--a.example"),
        ("axn--bcher-kva.example", "axn--bcher-kva.example"),
    ],
)
def test_shown(stored: str, seen: str) -> None:
    assert shown(stored) == seen


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_fault(text: str) -> None:
    name = ""
    why = ""
    try:
        name = ascii_name(text)
    except BadNameError as fault:
        why = str(fault)
    assert bool(name) != bool(why)
    assert why.isprintable()
    if name:
        assert ascii_name(name) == name == name.lower()
        assert ascii_name(shown(name)) == name


@given(st.text(alphabet="abcäöü例ß", min_size=1, max_size=12))
def test_what_is_shown_is_the_same_name(label: str) -> None:
    name = ascii_name(label + ".example")
    assert name.isascii()
    assert ascii_name(shown(name)) == name


@given(st.text(max_size=300) | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf"])))
def test_printable_is_bounded_and_encodable(text: str) -> None:
    made = printable(text, 50)
    assert made.isprintable()
    assert len(made) <= 50 * len("\\U0010ffff")
    made.encode("utf-8")
