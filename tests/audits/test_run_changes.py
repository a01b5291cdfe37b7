"""Two runs of a store: which are compared, and that nothing is missed of what is not read."""

import itertools

import msgspec
import pytest

from audits.diff import Kind
from audits.run_changes import changes, chosen_runs, with_between
from audits.store import NoSuchRunError, Store, StoreError
from scanner.facts import Dnssec, RouteStatus
from tests.audits.diff.looks import DROPS, Night, certificate, one, stored
from tests.audits.diff.test_policy import published, signed
from tests.audits.session_factory import GOOD, NO_TLS, SILENT

NAMES = [f"d{number}.example" for number in range(1, 21)]
QUIET = dict.fromkeys(NAMES, one())


def told(path, older="previous", newer="latest", window=3):
    with Store.open(path) as store:
        old, new = chosen_runs(store, older, newer, window)
        return list(changes(store, old, new, window))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def test_quiet_nights_tell_nothing(path):
    stored(path, QUIET, QUIET)
    assert told(path) == []


def test_a_run_beside_itself_tells_nothing(path):
    stored(path, QUIET, {**QUIET, NAMES[2]: one(NO_TLS), NAMES[4]: one(SILENT)})
    assert told(path, "latest", "latest") == []


def test_only_the_domains_that_changed_in_the_order_of_the_list(path):
    stored(path, QUIET, {**QUIET, NAMES[7]: one(NO_TLS), NAMES[2]: one(DROPS), NAMES[4]: one(trusted=False)})
    assert [(c.domain, c.kind) for c in told(path)] == [
        ("d5.example", Kind.GRADE_DOWN),
        ("d8.example", Kind.GRADE_DOWN),
        ("d8.example", Kind.STARTTLS_LOST),
    ]


def test_domains_that_join_and_leave_the_list_wherever_they_stand(path):
    later = {"new.example": one(NO_TLS), **QUIET}
    del later[NAMES[9]]
    stored(path, QUIET, later)
    assert [(c.domain, c.kind) for c in told(path)] == [
        ("new.example", Kind.DOMAIN_NEW),
        ("d10.example", Kind.DOMAIN_GONE),
    ]


def test_a_night_without_an_answer_is_stepped_over(path):
    stored(path, QUIET, {**QUIET, NAMES[0]: one(DROPS)}, {**QUIET, NAMES[0]: one(NO_TLS)})
    found = told(path)
    assert [c.kind for c in found] == [Kind.GRADE_DOWN, Kind.STARTTLS_LOST]
    assert {c.since for c in found} == {"2026-11-21T06-30-00"}
    assert told(path, window=1) == []


def test_a_day_that_comes_near_is_told_of_domains_that_are_the_same(path):
    night = {**QUIET, NAMES[3]: one(leaf=certificate(1, 14.5))}
    stored(path, night, night)
    with Store.open(path) as store:
        assert all(pair.same for page in store.pairs(1, 2) for pair in page)
    assert [(c.domain, c.kind) for c in told(path)] == [("d4.example", Kind.CERTIFICATE_EXPIRING)]


def test_signatures_that_nobody_renews_are_told_of_domains_that_are_the_same(path):
    """Their ends are kept beside the judgement, because they move when a zone is signed anew."""
    night = {**QUIET, NAMES[3]: published(tlsa=signed(3.5))}
    stored(path, night, night)
    assert [(c.domain, c.kind) for c in told(path)] == [("d4.example", Kind.CLIFF_NEAR)]


def test_a_silence_that_lasts_is_told_of_domains_that_are_the_same(path):
    """Once, on the third night; the addresses beside it answer all the time."""

    def night(second):
        servers = {"mx1.example.org": {"192.0.2.1": GOOD}, "mx2.example.org": {"192.0.2.2": second}}
        return {**QUIET, NAMES[5]: Night(servers=servers)}

    stored(path, night(GOOD), *[night(SILENT)] * 4)
    with Store.open(path) as store:
        runs = [run.name for run in store.runs()]
    pairs = itertools.pairwise(runs)
    assert [[c.kind for c in told(path, *pair)] for pair in pairs] == [[], [], [Kind.HOST_SILENT], []]


def test_a_dns_that_is_silent_for_long_is_told_of_domains_that_are_the_same(path):
    nobody = {**QUIET, NAMES[5]: Night(servers={}, status=RouteStatus.UNRESOLVED)}
    stored(path, {**QUIET, NAMES[5]: one()}, *[nobody] * 4)
    with Store.open(path) as store:
        pairs = itertools.pairwise([run.name for run in store.runs()])
    assert [[c.kind for c in told(path, *pair)] for pair in pairs] == [[], [], [Kind.HOST_SILENT], []]


def test_the_key_of_an_exchanged_certificate_comes_from_the_store(path):
    old, new = certificate(1), certificate(2, key=certificate(1).key.__class__("EC", 256, 128, "P-256"))
    stored(path, {NAMES[0]: one(leaf=old)}, {NAMES[0]: one(leaf=new)})
    (change,) = told(path)
    assert (change.kind, change.detail) == (Kind.CERTIFICATE_CHANGED, "key RSA 2048 -> EC P-256")


def test_a_record_that_cannot_be_read_is_a_sentence(path):
    stored(path, QUIET, QUIET)
    with Store.open(path, writing=True) as store:
        result = next(store.domains(2))
        store.save(2, [msgspec.structs.replace(result, judgement=b'{"schema":"x"}')])
    with pytest.raises(StoreError, match=r"run 2026-11-22T06-30-00, d1.example: this version cannot read"):
        told(path)


def told_since(path, older):
    """What a nightly run tells that told the older run last."""
    with Store.open(path) as store:
        old, new = chosen_runs(store, older, "latest")
        return [*changes(store, old, with_between(store, old, new))]


@pytest.mark.parametrize("asleep", [1, 2, 5])
def test_what_a_night_between_saw_is_told_although_the_newest_saw_nothing(path, asleep):
    """The night that saw it told nobody; of the night that tells, the domain gave no answer."""
    stored(path, QUIET, {**QUIET, NAMES[0]: one(NO_TLS)}, *[{**QUIET, NAMES[0]: one(DROPS)}] * asleep)
    found = told_since(path, "2026-11-21T06-30-00")
    assert [c.kind for c in found] == [Kind.GRADE_DOWN, Kind.STARTTLS_LOST]
    assert told_since(path, "2026-11-22T06-30-00") == []


def test_what_a_night_between_saw_is_told_of_domains_that_are_the_same(path):
    drops = {**QUIET, NAMES[0]: one(DROPS)}
    stored(path, QUIET, drops, {**QUIET, NAMES[0]: one(NO_TLS)}, drops)
    assert [c.kind for c in told_since(path, "2026-11-22T06-30-00")] == [Kind.GRADE_DOWN, Kind.STARTTLS_LOST]


def test_what_came_and_went_between_is_no_change(path):
    stored(path, QUIET, {**QUIET, NAMES[0]: one(NO_TLS)}, QUIET)
    assert told_since(path, "2026-11-21T06-30-00") == []


def test_a_silence_that_began_between_is_told(path):
    stored(path, QUIET, *[{**QUIET, NAMES[0]: one(SILENT)}] * 4)
    assert [c.kind for c in told_since(path, "2026-11-21T06-30-00")] == [Kind.HOST_SILENT]


# --- which runs ----------------------------------------------------------------------------------------------------


def test_the_newest_two_finished_runs_of_lists_alike(path):
    """A look at a single domain in between, in the same store, is neither compared nor looked back to."""
    stored(path, QUIET, QUIET, {"else.example": one()}, {**QUIET, NAMES[0]: one(mx_dnssec=Dnssec.SECURE)})
    with Store.open(path) as store:
        old, new = chosen_runs(store, "previous", "latest")
    assert (old.run.id, [run.id for run in old.before], new.run.id) == (2, [1], 4)


def test_a_list_that_changed_by_a_line_is_alike_and_one_that_shares_a_third_is_not(path):
    third = {**dict.fromkeys(NAMES[:7], one()), **{f"e{number}.example": one() for number in range(13)}}
    stored(path, third, dict.fromkeys(NAMES[1:], one()), QUIET)
    with Store.open(path) as store:
        old, _ = chosen_runs(store, "previous", "latest")
        assert (old.run.id, old.before) == (2, ())
        named, _ = chosen_runs(store, old.run.name, "latest")
        assert named == old


def test_without_two_runs_there_is_nothing_to_compare(path):
    stored(path, QUIET)
    with pytest.raises(NoSuchRunError, match=r"no finished run before .* has a list like it: name the run"):
        told(path)


def test_unfinished_runs_are_not_chosen(path):
    stored(path, QUIET, finished=False)
    with pytest.raises(NoSuchRunError, match="no finished run yet"):
        told(path)
