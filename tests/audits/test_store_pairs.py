"""Two runs side by side in the store: order, pages, hashes."""

import msgspec
import pytest

from audits.cliffs import Cliff
from audits.store import Store
from scanner.facts import Target
from scanner.policy_facts import PolicyFacts, SignatureEnd
from tests import stored_samples
from tests.stored_samples import entries, result, start, store_place


@pytest.fixture
def store(tmp_path):
    with Store.open(store_place(tmp_path), writing=True) as opened:
        yield opened


def filled(store, number, targets, results):
    run = store.begin_run(start(number), targets)
    store.save(run.id, results)
    return store.finish_run(run.id, start(number).started).id


def test_each_domain_stands_beside_its_earlier_self_whatever_its_number(store):
    first = filled(store, 0, entries(3), [result(n) for n in (1, 2, 3)])
    turned = [Target(name, name) for name in ("d3.example", "new.example", "d1.example")]
    changed = stored_samples.DomainResult(3, result(1, 7).facts, "MAY", b"{}")
    third = stored_samples.DomainResult(1, result(3).facts, "MUST", result(3).judgement)
    new = stored_samples.DomainResult(2, result(9).facts, "MUST", b"{}")
    second = filled(store, 1, turned, [third, new, changed])
    (page,) = store.pairs(first, second)
    assert [(p.entry, p.known, p.same) for p in page] == [
        ("d3.example", True, True),
        ("new.example", False, False),
        ("d1.example", True, False),
    ]
    assert page[0].judgement == result(3, seen_at=None).judgement.replace(b"null", b'""')
    assert page[2].judgement == b"", "it has to be read anyway"
    assert list(store.missing(first, second)) == ["d2.example"]
    assert list(store.missing(second, first)) == ["new.example"]
    assert store.shared_targets(first, second) == 2


def test_times_do_not_make_a_difference(store):
    later = stored_samples.NIGHT + stored_samples.timedelta(days=1)
    first = filled(store, 0, entries(1), [result(1)])
    second = filled(store, 1, entries(1), [result(1, seen_at=later)])
    ((pair,),) = store.pairs(first, second)
    assert pair.same
    assert b'"seen_at":""' in pair.judgement
    assert store.domains_of(second, ["d1.example", "nobody.example"]) == {"d1.example": result(1, seen_at=later)}


def test_a_zone_that_is_signed_anew_makes_no_difference(store):
    """And the day on which its signatures end is there all the same, in what is read of both."""

    def signed(until):
        ends = PolicyFacts(signatures=(SignatureEnd("d1.example", "MX", until),))
        facts = msgspec.structs.replace(result(1).facts, policy=ends)
        judgement = msgspec.json.encode({"cliffs": [Cliff(until, "DNSSEC", "signatures end", rolling=True)]})
        return msgspec.structs.replace(result(1), facts=facts, judgement=judgement)

    until = stored_samples.NIGHT + stored_samples.timedelta(days=9)
    nights = [signed(until), signed(until + stored_samples.timedelta(days=1))]
    first, second = (filled(store, number, entries(1), [night]) for number, night in enumerate(nights))
    ((pair,),) = store.pairs(first, second)
    assert pair.same
    assert pair.judgement == nights[1].judgement
    assert list(store.domains(first)) + list(store.domains(second)) == nights


def test_pages_of_long_lists(store):
    same = result(1)
    numbered = [stored_samples.DomainResult(n, same.facts, same.grade, same.judgement) for n in range(1, 1101)]
    first = filled(store, 0, entries(1100), numbered)
    second = filled(store, 1, entries(1098), numbered[:1098])
    pages = list(store.pairs(first, second))
    assert [len(page) for page in pages] == [500, 500, 98]
    assert [pair.seq for page in pages for pair in page] == list(range(1, 1099))
    assert all(pair.same for page in pages for pair in page)
    assert list(store.missing(first, second)) == ["d1099.example", "d1100.example"]


def test_hashes_tell_results_apart(store):
    first = filled(store, 0, entries(2), [result(1), result(2)])
    second = filled(store, 1, entries(2), [result(1), result(2, 3)])
    before, after = (store.hashes_of(run, ["d1.example", "d2.example", "d3.example"]) for run in (first, second))
    assert before.keys() == after.keys() == {"d1.example", "d2.example"}
    assert before["d1.example"] == after["d1.example"]
    assert before["d2.example"] != after["d2.example"]


def test_certificates_by_their_hashes(store):
    filled(store, 0, entries(1), [result(1)])
    store.save(1, [], [stored_samples.seen(1)])
    known = stored_samples.certificate(1)
    assert store.certificates([known.sha256, "00" * 32]) == {known.sha256: known}
