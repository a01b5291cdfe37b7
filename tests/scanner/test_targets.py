"""Lines of input become targets or bad lines: every form of the manual, every common slip, and any bytes at all."""

import io
import tracemalloc
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.facts import BadLine, Level, Target
from scanner.targets import MAX_LINE, MAX_RECORD_LINES, target_from_text, targets_from_lines, targets_from_stream


def read(data: bytes | str) -> list[Target | BadLine]:
    raw = data.encode() if isinstance(data, str) else data
    return list(targets_from_stream(io.BytesIO(raw), "list.txt"))


def entries(data: bytes | str) -> list[str]:
    """The entries of the targets; a bad line stands as "number: why"."""
    return [f"{item.number}: {item.why}" if isinstance(item, BadLine) else item.entry for item in read(data)]


# --- one entry -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("example.org", Target("example.org", "example.org")),
        ("  Example.ORG.  ", Target("example.org", "example.org")),
        ("example.org MUST", Target("example.org", "example.org", required=Level.MUST)),
        ("example.org\tmust_nopeermatch", Target("example.org", "example.org", required=Level.MUST_NOPEERMATCH)),
        ("example.org Must-NoPeerMatch", Target("example.org", "example.org", required=Level.MUST_NOPEERMATCH)),
        ("example.org none", Target("example.org", "example.org", required=Level.NONE)),
        ("example.org:587", Target("example.org:587", "example.org", port=587)),
        ("example.org:submission", Target("example.org:587", "example.org", port=587)),
        ("[mx.example.org]", Target("[mx.example.org]", "mx.example.org", brackets=True)),
        ("[MX.example.org.]:587", Target("[mx.example.org]:587", "mx.example.org", brackets=True, port=587)),
        ("[192.0.2.1]:2525", Target("[192.0.2.1]:2525", "192.0.2.1", brackets=True, port=2525)),
        ("[IPv6:2001:DB8:0::1]", Target("[IPv6:2001:db8::1]", "2001:db8::1", brackets=True)),
        ("[2001:db8::1]:25 MAY", Target("[IPv6:2001:db8::1]:25", "2001:db8::1", True, 25, Level.MAY)),
        ("bücher.example", Target("xn--bcher-kva.example", "xn--bcher-kva.example")),
        ("[bücher.example]:25", Target("[xn--bcher-kva.example]:25", "xn--bcher-kva.example", True, 25)),
        ("example.org # the demo", Target("example.org", "example.org")),
        ("example.org MAY\t#MUST", Target("example.org", "example.org", required=Level.MAY)),
    ],
)
def test_forms(line: str, target: Target) -> None:
    assert target_from_text(line) == target


@pytest.mark.parametrize("line", ["", "   ", "# example.org", "  \t# example.org", "\r\n", "\u00a0", "\ufeff#"[1:]])
def test_nothing(line: str) -> None:
    assert target_from_text(line) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("postmaster@example.org", "an e-mail address: write only its domain, example.org"),
        ('"john doe"@example.org', "an e-mail address: write only its domain, example.org"),
        ("@", "an e-mail address: write only its domain"),
        ("https://www.example.org:8443/a?b", "a URL: write only its domain, www.example.org"),
        ("example.org/x", "a path or network: write only the domain, example.org"),
        ("192.0.2.0/24", "a path or network: write only the domain"),
        (
            "_dmarc.example.org",
            "an underscore cannot stand in the name of a mail domain or host: list the domain itself",
        ),
        (f"{'a' * 64}.org", f"the label {'a' * 19}… has 64 characters, at most 63 are possible"),
        ("192.0.2.1", "a bare IP address: write [192.0.2.1]"),
        ("192.0.2.1:25 MUST", "a bare IP address: write [192.0.2.1]:25"),
        ("2001:DB8::1", "a bare IP address: write [IPv6:2001:db8::1]"),
        ("192.0.2.256", "neither a name nor an IP address: the last label is a number"),
        ("example.org STRONG", "unknown level STRONG: write one of NONE, MAY, MUST_NOPEERMATCH, MUST"),
        (
            "example.org encrypt",
            "unknown level encrypt: write one of NONE, MAY, MUST_NOPEERMATCH, MUST; "
            "Postfix's encrypt is MUST_NOPEERMATCH here",
        ),
        ("must", "a level without a domain: write example.org MUST"),
        ("example.org MUST MAY", "more than a domain and a level on a line: a comment begins with #"),
        ("example.org:65536", "the port 65536 is no number from 1 to 65535"),
        ("example.org:0", "the port 0 is no number from 1 to 65535"),
        ("example.org:", "the port (nothing) is no number from 1 to 65535"),
        ("[192.0.2.1]:٢٥", "the port ٢٥ is no number from 1 to 65535"),
        ("[192.0.2.1]:" + "9" * 5000, f"the port {'9' * 19}… is no number from 1 to 65535"),
        ("[mx.example.org", "the brackets do not match: write [mx.example.org] or [mx.example.org]:587"),
        ("[mx.example.org]587", "the brackets do not match: write [mx.example.org] or [mx.example.org]:587"),
        ("[mx.example.org:587]", "the port stands behind the bracket: write [mx.example.org]:587"),
        ("[IPv6:192.0.2.1]", "behind IPv6: stands no IPv6 address: write [IPv6:2001:db8::1]"),
        ("[]", "there is no domain name"),
        (
            "[fe80::1%eth0]",
            "an address with a zone: only addresses that mean the same everywhere can be listed",
        ),
        ("exam\x00ple.org", "the control character U+0000 is in it: remove it"),
        ("example.org \x1b[31mMUST", "the control character U+001B is in it: remove it"),
        (
            "example.org, example.net",
            "several values on a line: one entry per line, or CSV whose first line names a column Domain",
        ),
    ],
)
def test_bad_lines_say_why_and_what_to_write(line: str, why: str) -> None:
    bad = target_from_text(line, "list.txt", 7)
    assert isinstance(bad, BadLine)
    assert (bad.source, bad.number, bad.why) == ("list.txt", 7, why)
    assert bad.text.isprintable()
    assert len(bad.text) <= 200


# --- lines ---------------------------------------------------------------------------------------------------------


def test_line_ends_bom_blanks_and_comments() -> None:
    data = "\ufeffexample.org\r\n\r\n# note\r\n  example.net MUST \r\nexample.com"
    assert entries(data) == ["example.org", "example.net", "example.com"]


def test_bad_lines_keep_their_numbers() -> None:
    data = b"# list\nexample.org\n\nb\xfccher.example\nuser@example.net\nexample.net\n"
    assert [(bad.number, bad.text) for bad in read(data) if isinstance(bad, BadLine)] == [
        (4, "bücher.example"),
        (5, "user@example.net"),
    ]
    assert entries(data)[0] == "example.org"
    assert entries(data)[1] == "4: not in UTF-8: save the file as UTF-8, or write the xn-- form"
    assert entries(data)[3] == "example.net"


def test_an_over_long_line_is_one_bad_line() -> None:
    data = b"example.org\n" + b"a" * (5 * MAX_LINE) + b"\nexample.net\n" + b"b" * (MAX_LINE + 1)
    assert entries(data) == [
        "example.org",
        f"2: the line is longer than {MAX_LINE} bytes: one entry per line",
        "example.net",
        f"4: the line is longer than {MAX_LINE} bytes: one entry per line",
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("example.org\n".encode("utf-16"), "UTF-16 text: save it as UTF-8"),
        (b"PK\x03\x04\x14\x00\n\n", "a zip archive, as an Excel workbook is: save the sheet as CSV"),
        (b"\x1f\x8b\x08\x00\n", "compressed by gzip: unpack it first"),
    ],
)
def test_a_file_that_is_no_text_is_told_once(data: bytes, why: str) -> None:
    assert entries(data) == [f"1: the file is no text in UTF-8 but {why}"]


def test_words_of_a_command_line() -> None:
    found = list(targets_from_lines(["example.org", "x" * (MAX_LINE + 1), "user@example.net"], "command line"))
    assert [type(item) for item in found] == [Target, BadLine, BadLine]
    assert found[2] == BadLine(
        "command line", 3, "user@example.net", "an e-mail address: write only its domain, example.net"
    )


# --- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "Name,Domain,Required\nA,example.org,MUST\n\nB,example.net,\n",
        "\ufeffName;DOMAIN;Level\r\nA;example.org;must\r\n;;\r\nB;example.net;\r\n",
        "# export\n\nName\tdomain\tRequired Level\nA\texample.org\tMUST\nB\texample.net\n",
        '"Domain Name","x","LEVEL"\n"example.org","a ""b"", c\n# text\n","MUST"\n"example.net","",""\n',
        "Domain,Level\nexample.org,MUST # why\n# example.com,MAY\nexample.net # x,\n",
        "Domain\nexample.org MUST\nexample.net\n",
    ],
)
def test_csv(data: str) -> None:
    assert read(data) == [
        Target("example.org", "example.org", required=Level.MUST),
        Target("example.net", "example.net"),
    ]


def test_csv_slips_are_told_with_their_row() -> None:
    data = (
        'Domain,Level,Note\nexample.org,HIGH,\n,MAY,x\nexample.net,,"open\nexample.com,,\nuser@example.com,,\n,,a\rb\n'
    )
    assert entries(data) == [
        "2: unknown level HIGH: write one of NONE, MAY, MUST_NOPEERMATCH, MUST",
        "3: no domain stands in the column Domain of this row",
        "4: a quotation mark is opened and never closed",
        "example.com",
        "6: an e-mail address: write only its domain, example.com",
        "7: no CSV: a line end or a flood in a cell",
    ]


def test_a_level_in_both_cells_is_no_silent_choice() -> None:
    assert entries("Domain,Level\nexample.org MUST,MAY\n") == [
        "2: more than a domain and a level on a line: a comment begins with #"
    ]


def test_an_unclosed_mark_swallows_at_most_a_bounded_number_of_rows() -> None:
    rows = [f"d{i}.example,x" for i in range(MAX_RECORD_LINES + 5)]
    found = entries('Domain,Note\nexample.org,"open\n' + "\n".join(rows) + '\nd.example,"closed"\n')
    assert found[0] == "2: a quotation mark is opened and never closed"
    assert found[1:] == [f"d{i}.example" for i in range(MAX_RECORD_LINES + 5)] + ["d.example"]


def test_a_csv_cell_beyond_the_limit_of_the_csv_module() -> None:
    flood = "\n".join(["y" * (MAX_LINE - 100)] * (MAX_RECORD_LINES - 2))
    assert entries(f'Domain,Note\nexample.org,"{flood}"\nexample.net,\n') == [
        "2: no CSV: a line end or a flood in a cell",
        "example.net",
    ]


# --- any input -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    for item in [*read(data), *read(b"Domain,Level\n" + data)]:
        assert msgspec.json.decode(msgspec.json.encode(item), type=type(item)) == item
        if isinstance(item, BadLine):
            assert item.why
            assert 1 <= item.number <= data.count(b"\n") + 2
        else:
            assert target_from_text(item.entry) == msgspec.structs.replace(item, required=None)


@given(st.lists(st.text(max_size=40), max_size=10))
def test_any_text(lines: list[str]) -> None:
    assert len(list(targets_from_lines(lines, "words"))) <= len(lines)


@given(
    st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]([a-z0-9]{1,8}))?", fullmatch=True),
    st.none() | st.integers(1, 65535),
    st.booleans(),
    st.none() | st.sampled_from(Level),
)
def test_what_is_written_is_read_back(name: str, port: int | None, brackets: bool, required: Level | None) -> None:
    entry = (f"[{name}]" if brackets else name) + (f":{port}" if port else "")
    target = target_from_text(f"{entry} {required or ''}")
    if name.upper() in Level.__members__ and not (brackets or port or required):
        assert isinstance(target, BadLine)
    else:
        assert target == Target(entry, name, brackets, port, required)


def test_memory_stays_flat() -> None:
    def many(count: int) -> Iterator[str]:
        return (f"d{number}.example MUST\n" for number in range(count))

    tracemalloc.start()
    try:
        assert sum(1 for _ in targets_from_lines(many(20_000), "words")) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000
