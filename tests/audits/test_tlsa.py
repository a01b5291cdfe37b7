"""TLSA records against chains: usability, digest agility, matching; what the lab cannot show, and hostile bytes."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from audits.demo.certificates import Validity, new_authority, self_signed
from audits.reasons import Cause
from audits.tlsa import covers, match_chain, presentation, public_key_info, reaches, unusable, usable
from scanner.certificates import certificate_from_der
from scanner.dns_facts import TlsaRecord
from scanner.tls_facts import CertificateFacts

NAME = "mx.example.org"
AUTHORITY = new_authority()
LEAF = AUTHORITY.credential(NAME).leaf.certificate
ISSUER, ROOT = AUTHORITY.intermediate.certificate, AUTHORITY.root.certificate
NOW = datetime.now(UTC)


def facts(*certificates) -> list[CertificateFacts]:
    return [certificate_from_der(each.public_bytes(Encoding.DER)) for each in certificates]


CHAIN = facts(LEAF, ISSUER)


def spki(certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(usage: int, selector: int, matching_type: int, certificate=LEAF) -> TlsaRecord:
    data = spki(certificate) if selector == 1 else certificate.public_bytes(Encoding.DER)
    digest = {1: hashlib.sha256, 2: hashlib.sha512}.get(matching_type)
    return TlsaRecord(usage, selector, matching_type, digest(data).digest() if digest else data)


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching_type", [0, 1, 2])
@pytest.mark.parametrize("usage", [2, 3])
def test_every_selector_and_matching_type(usage, selector, matching_type):
    wanted = record(usage, selector, matching_type, LEAF if usage == 3 else ISSUER)
    other = record(usage, selector, matching_type, ROOT)
    assert unusable(wanted) == ""
    assert covers(wanted, CHAIN[0] if usage == 3 else CHAIN[1])
    assert match_chain([wanted], CHAIN, [NAME], NOW).record == wanted
    reason = match_chain([other], CHAIN, [NAME], NOW).reason
    if (usage, matching_type) == (2, 0):
        assert reason is None  # the root, or its key, stands in the record itself
    else:
        assert reason
        assert reason.cause is Cause.TLSA_INVALID


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (TlsaRecord(0, 0, 1, b"x" * 32), "usage 0 and 1"),
        (TlsaRecord(1, 1, 1, b"x" * 32), "usage 0 and 1"),
        (TlsaRecord(4, 1, 1, b"x" * 32), "unknown usage"),
        (TlsaRecord(255, 1, 1, b"x" * 32), "unknown usage"),
        (TlsaRecord(3, 2, 1, b"x" * 32), "unknown selector"),
        (TlsaRecord(3, 1, 3, b"x" * 32), "unknown matching type"),
        (TlsaRecord(3, 1, 1, b"x" * 31), "no digest"),
        (TlsaRecord(3, 1, 2, b"x" * 32), "no digest"),
        (TlsaRecord(3, 0, 0, b"x" * 32), "neither"),
        (TlsaRecord(3, 1, 0, b""), "neither"),
        (TlsaRecord(2, 0, 0, LEAF.public_bytes(Encoding.DER)[:-1]), "neither"),
    ],
)
def test_what_is_unusable(bad, word):
    assert word in unusable(bad)
    assert usable([bad]) == ()


def test_digest_agility_keeps_the_strongest_for_each_usage_and_selector():
    weak, strong, full = record(3, 1, 1), record(3, 1, 2), record(3, 1, 0)
    beside = record(3, 0, 1)
    assert usable([weak, strong]) == (strong,)
    assert usable([weak, full]) == (weak, full)
    assert usable([weak, strong, beside, weak]) == (strong, beside)
    assert usable([TlsaRecord(3, 1, 2, b"short"), weak]) == (weak,)


def test_ee_ignores_names_and_dates():
    expired = AUTHORITY.credential("other.example", validity=Validity.EXPIRED)
    assert match_chain([record(3, 1, 1, expired.leaf.certificate)], facts(expired.leaf.certificate), [NAME], NOW).record


@pytest.mark.parametrize(
    ("names", "matches"), [([NAME], True), (["example.org", NAME], True), (["example.org"], False)]
)
def test_ta_needs_one_of_the_names(names, matches):
    found = match_chain([record(2, 0, 1, ISSUER)], CHAIN, names, NOW)
    assert bool(found.record) is matches
    assert matches or (found.reason and found.reason.cause is Cause.CERTIFICATE_HOST_MISMATCH)


@pytest.mark.parametrize(
    ("validity", "cause"),
    [(Validity.EXPIRED, Cause.CERTIFICATE_EXPIRED), (Validity.NOT_YET, Cause.VALIDATION_FAILURE)],
)
def test_ta_looks_at_the_dates_of_the_leaf(validity, cause):
    chain = facts(AUTHORITY.credential(NAME, validity=validity).leaf.certificate, ISSUER)
    reason = match_chain([record(2, 0, 1, ISSUER)], chain, [NAME], NOW).reason
    assert reason
    assert reason.cause is cause


def test_ta_ignores_the_dates_of_the_anchor_itself():
    later = NOW + timedelta(days=60)
    assert match_chain([record(2, 0, 1, ISSUER)], CHAIN, [NAME], later).record
    assert match_chain([record(2, 0, 1, ISSUER)], CHAIN, [NAME], NOW + timedelta(days=365)).reason


def test_ta_must_have_signed_the_chain():
    stranger = new_authority("Other").intermediate.certificate
    found = match_chain([record(2, 0, 1, stranger)], [*CHAIN, *facts(stranger)], [NAME], NOW)
    assert found.record is None


def test_a_leaf_is_no_trust_anchor():
    alone = self_signed(NAME).leaf.certificate
    assert match_chain([record(2, 1, 1, alone)], facts(alone), [NAME], NOW).record is None


@pytest.mark.parametrize("selector", [0, 1])
def test_an_anchor_in_full_need_not_be_sent(selector):
    """By its certificate or by its key alone; names and dates below it count, and it must have signed the chain."""
    anchor, stranger = record(2, selector, 0, ROOT), record(2, selector, 0, new_authority("Other").root.certificate)
    assert match_chain([stranger, anchor], CHAIN, [NAME], NOW).record == anchor
    assert (reaches(anchor, CHAIN), reaches(stranger, CHAIN)) == (True, False)
    assert match_chain([anchor], CHAIN, ["other.example"], NOW).reason
    assert match_chain([anchor], CHAIN[:1], [NAME], NOW).reason
    expired = facts(AUTHORITY.credential(NAME, validity=Validity.EXPIRED).leaf.certificate, ISSUER)
    reason = match_chain([anchor], expired, [NAME], NOW).reason
    assert reason
    assert reason.cause is Cause.CERTIFICATE_EXPIRED


@pytest.mark.parametrize("validity", [Validity.NOW, Validity.EXPIRED])
def test_of_a_leaf_that_signed_itself_the_key_in_full_is_an_anchor_and_the_certificate_none(validity):
    """As OpenSSL does it: DANE-TA matches above the leaf only, but a bare key may have signed the leaf."""
    alone = self_signed(NAME, validity=validity).leaf.certificate
    by_key = match_chain([record(2, 1, 0, alone)], facts(alone), [NAME], NOW)
    assert bool(by_key.record) is (validity is Validity.NOW)
    for certificate, chain in ((alone, facts(alone)), (LEAF, CHAIN)):
        assert match_chain([record(2, 0, 0, certificate)], chain, [NAME], NOW).record is None
    assert match_chain([record(2, 1, 0, LEAF)], CHAIN, [NAME], NOW).record is None


@pytest.mark.parametrize("data", ["3000", "3003020100", "30030201003000"])
@pytest.mark.parametrize("usage", [2, 3])
def test_full_data_without_a_key_is_unusable(usage, data):
    assert unusable(TlsaRecord(usage, 1, 0, bytes.fromhex(data)))
    assert unusable(TlsaRecord(usage, 0, 0, bytes.fromhex(data)))


def test_two_keys_of_a_kind_are_shown_apart():
    """Both begin with the same algorithm, so that the wrong one would seem to match."""
    first, second = record(3, 1, 0), record(3, 1, 0, self_signed(NAME).leaf.certificate)
    assert first.data[:8] == second.data[:8]
    assert presentation(first) != presentation(second)
    assert presentation(record(3, 1, 1)) == f"3 1 1 {record(3, 1, 1).data.hex()[:16]}..."


def test_no_chain_and_no_records():
    assert match_chain([record(3, 1, 1)], [], [NAME], NOW).reason
    assert match_chain([], CHAIN, [NAME], NOW).reason


@pytest.mark.parametrize("certificate", [LEAF, ISSUER, ROOT])
def test_the_key_stands_where_it_stands(certificate):
    assert public_key_info(certificate.public_bytes(Encoding.DER)) == spki(certificate)


@given(st.binary(max_size=300))
def test_any_bytes_have_a_key_or_none(data):
    assert public_key_info(data) is None or data


@given(st.integers(0, len(LEAF.public_bytes(Encoding.DER)) - 1), st.integers(0, 255))
def test_any_damage_is_read_or_refused(at, octet):
    der = bytearray(LEAF.public_bytes(Encoding.DER))
    der[at] = octet
    found = public_key_info(bytes(der))
    assert found is None or found in bytes(der)


@given(
    st.lists(
        st.builds(TlsaRecord, st.integers(0, 5), st.integers(0, 3), st.integers(0, 4), st.binary(max_size=70)),
        max_size=5,
    )
)
def test_any_records_are_judged(records):
    kept = usable(records)
    assert set(kept) <= set(records)
    assert match_chain(kept, CHAIN, [NAME], NOW).record is None
