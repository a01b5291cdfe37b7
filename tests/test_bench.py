"""The benchmark works: a small run of it counts what there is to count."""

import dns.message
import pytest

from tests.bench.__main__ import COLUMNS, row
from tests.bench.amortised import COLUMNS as AMORTISED_COLUMNS
from tests.bench.amortised import nights
from tests.bench.amortised import row as amortised_row
from tests.bench.scan_lines import bench
from tests.bench.wildcard_dns import response

HOSTS, LINES = 3, 50


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("bench"), HOSTS) as running:
        return running.scan(LINES, "--ports", "25", "--no-policy")


def test_each_domain_costs_a_query_and_each_host_a_connection(measured):
    assert (measured.lines, measured.connections) == (LINES, HOSTS)
    assert LINES + 2 * HOSTS <= measured.queries <= LINES + 2 * HOSTS + 3, "MX of each domain; A and AAAA of each host"


def test_processor_and_memory_are_measured(measured):
    assert 0 < measured.user_s < 60
    assert measured.rate == LINES / measured.cpu_s
    assert 30 < measured.memory_mb < 300
    assert max(measured.memory_at) <= measured.memory_mb
    assert measured.store_mb > 0


def test_a_row_has_a_cell_for_each_column(measured):
    assert row(measured).count("|") == len(COLUMNS) + 1


@pytest.mark.parametrize(
    ("name", "rdtype", "answer"),
    [
        ("d0000017.example", "MX", "10 mx2.example."),
        ("D17.example", "MX", "10 mx2.example."),
        ("mx2.example", "A", "192.0.2.2"),
        ("queries.invalid", "A", "0.0.0.0"),
        ("mx2.example", "AAAA", ""),
        ("_smtp._tls.d17.example", "TXT", ""),
    ],
)
def test_the_name_server_answers_by_its_pattern(name, rdtype, answer):
    query = dns.message.make_query(name, rdtype, use_edns=0)
    read = dns.message.from_wire(response(query.to_wire(), HOSTS))
    assert query.is_response(read)
    assert [rdata.to_text() for rrset in read.answer for rdata in rrset] == ([answer] if answer else [])
    assert read.edns == 0


def test_an_amortised_night_is_compared_with_its_full_one():
    found = nights(8)
    assert [name.partition(",")[0] for name, _, _ in found] == ["standard"] * 2 + ["full"] * 2
    for name, measured, full in found:
        assert (measured.connections < full.connections) == ("every" in name)
        assert amortised_row(name, measured, full).count("|") == len(AMORTISED_COLUMNS) + 1
