"""The words of a diff: every kind has its sentence, severities are in order."""

import msgspec

from audits.diff import SENTENCES, Change, Kind, Severity


def test_every_kind_has_a_sentence():
    assert set(SENTENCES) == set(Kind)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


def test_information_is_the_least_and_alarm_the_most():
    assert [s.value for s in sorted(Severity, key=lambda s: s.rank)] == ["information", "notice", "warning", "alarm"]


def test_a_change_survives_json():
    change = Change(domain="example.org", kind=Kind.MX_NEW, severity=Severity.NOTICE, where="\x00\xff", after="x")
    assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change
