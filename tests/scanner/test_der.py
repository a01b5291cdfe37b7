"""Reading DER: what is right is read, what is not is a DerError and nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import der
from scanner.der import DerError, Element


def element(tag: int, content: bytes = b"") -> Element:
    return Element(tag, content, bytes([tag, len(content)]) + content)


def test_elements_stand_one_after_the_other() -> None:
    found = list(der.elements(bytes.fromhex("020105 0c0161 3000")))
    assert [(value.tag, value.content) for value in found] == [(2, b"\5"), (12, b"a"), (0x30, b"")]
    assert b"".join(value.der for value in found) == bytes.fromhex("0201050c01613000")


def test_long_lengths_are_read_even_when_longer_than_needed() -> None:
    assert der.one(b"\x04\x82\x01\x00" + b"x" * 256, der.OCTET_STRING) == b"x" * 256
    assert der.one(b"\x04\x82\x00\x01x", der.OCTET_STRING) == b"x"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("30", "middle of a tag"),
        ("3002aa", "2 bytes is cut off"),
        ("0482ff", "cut off"),
        ("3080aa0000", "no definite form"),
        ("0485000000000161", "above 4 GB"),
        ("1f8101", "tag number"),
        ("048400ffffff61", "cut off"),
    ],
)
def test_what_is_cut_off_or_not_der(data: str, why: str) -> None:
    with pytest.raises(DerError, match=why):
        list(der.elements(bytes.fromhex(data)))


def test_a_value_of_another_kind_than_expected() -> None:
    with pytest.raises(DerError, match="tag 0x04 where 0x02"):
        der.one(b"\x04\x00", der.INTEGER)
    with pytest.raises(DerError, match="nothing"):
        der.one(b"", der.INTEGER)
    with pytest.raises(DerError, match="0 values where 1 were"):
        der.fields(element(der.SEQUENCE), least=1)


@pytest.mark.parametrize(
    ("content", "dotted"),
    [
        ("2a864886f70d", "1.2.840.113549"),
        ("5504", "2.5.4"),
        ("883703", "2.999.3"),
        ("27", "0.39"),
        ("00", "0.0"),
        ("4f", "1.39"),
    ],
)
def test_identifiers(content: str, dotted: str) -> None:
    assert der.identifier(bytes.fromhex(content)) == dotted


@pytest.mark.parametrize("content", [b"", b"\x2a\x86", b"\x81" * 64 + b"\1"])
def test_identifiers_that_are_none_or_endless(content: bytes) -> None:
    with pytest.raises(DerError, match="no sane object identifier"):
        der.identifier(content)


@pytest.mark.parametrize(
    ("tag", "content", "text"),
    [
        (0x0C, "Grüße".encode(), "Grüße"),
        (0x0C, "Grüße".encode("latin-1"), "Grüße"),
        (0x13, b"Example", "Example"),
        (0x14, b"Gr\xfc\xdfe", "Grüße"),
        (0x16, b"mx\0.example", "mx\0.example"),
        (0x1E, "Größe".encode("utf-16-be"), "Größe"),
        (0x1C, "日本".encode("utf-32-be"), "日本"),
    ],
)
def test_strings_of_every_kind(tag: int, content: bytes, text: str) -> None:
    assert der.text(element(tag, content)) == text


@pytest.mark.parametrize(
    ("tag", "content"), [(0x1E, b"mx.example.org."), (0x1E, b"\xd8\x00"), (0x1C, b"abc"), (0x04, b"mx")]
)
def test_strings_that_are_none(tag: int, content: bytes) -> None:
    """An odd number of bytes, half a surrogate pair; bytes of another type are no name either."""
    with pytest.raises(DerError):
        der.text(element(tag, content))


@pytest.mark.parametrize(
    ("tag", "content", "when"),
    [
        (0x17, b"491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (0x17, b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (0x18, b"20260115120000Z", datetime(2026, 1, 15, 12, tzinfo=UTC)),
        (0x18, b"99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times(tag: int, content: bytes, when: datetime) -> None:
    assert der.time(element(tag, content)) == when


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        (0x17, b"2601151200Z"),
        (0x17, b"260115120000+0100"),
        (0x17, b"20260115120000Z"),
        (0x18, b"20260115120000.5Z"),
        (0x18, b"00000101000000Z"),
        (0x17, b"261301000000Z"),
        (0x17, b"260115126000Z"),
        (0x0C, b"260115120000Z"),
        (0x17, "٢٦٠١١٥١٢٠٠٠٠Z".encode()),
    ],
)
def test_times_that_are_none(tag: int, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no time|range|must be in"):
        der.time(element(tag, content))


def test_bit_strings() -> None:
    assert der.bit_string(b"\5\xa0") == (5, b"\xa0")
    for content in (b"", b"\x08\0"):
        with pytest.raises(DerError):
            der.bit_string(content)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    try:
        for value in der.elements(data):
            assert value.der.endswith(value.content)
            for read in (der.fields, der.algorithm, der.text, der.time):
                try:
                    read(value)
                except ValueError:
                    continue
    except DerError:
        return
