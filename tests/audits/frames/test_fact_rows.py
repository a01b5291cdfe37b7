"""Rows from facts: connections with the servers' words, certificates each once."""

import msgspec

from audits.frames.columns import FRAMES
from audits.frames.fact_rows import CertificatesSeen, handshake_rows
from tests import stored_samples as samples


def columns(name):
    return {column.name for column in FRAMES[name].columns}


def test_a_connection_that_worked():
    (row,) = handshake_rows("r", samples.seen(1))
    assert row.keys() == columns("handshakes")
    assert (row["session"], row["version"], row["group"], row["chain_length"]) == (1, "TLSv1.3", "X25519", 2)
    assert row["greeting"] == "220 mx1.example.org ESMTP Postfix"
    assert row["leaf_sha256"] == samples.certificate(1).sha256
    assert (row["failed_stage"], row["failed_words"]) == (None, "")
    assert row["transcript"].splitlines()[0] == "S: 220 mx1.example.org ESMTP Postfix"


def test_a_connection_that_failed_keeps_the_words_of_the_server():
    (row,) = handshake_rows("r", samples.unreachable(2))
    assert (row["failed_stage"], row["failed_kind"]) == ("greeting", "temporary-reply")
    assert row["failed_words"] == "421 4.7.0 caf\xe9, try later"
    assert (row["version"], row["chain_length"]) == ("", None)


def test_certificates_count_once_and_know_their_role():
    seen = CertificatesSeen()
    for number in (1, 2):
        seen.take(samples.seen(number))
    rows = {row["sha256"]: row for row in seen.rows("r")}
    shared, leaf = rows[samples.certificate(0).sha256], rows[samples.certificate(1).sha256]
    assert leaf.keys() == columns("certificates")
    assert len(rows) == 3
    assert (shared["role"], shared["endpoints"]) == ("issuer", 2)
    assert (leaf["role"], leaf["endpoints"], leaf["key"]) == ("leaf", 1, "RSA 2048")
    assert (leaf["issuer_organisation"], leaf["lifetime_days"]) == ("Example Trust", 90)
    assert leaf["names"].splitlines()[0] == "mx1.example.org"


def test_a_certificate_that_cannot_be_read_has_empty_cells():
    facts = samples.seen(1)
    broken = msgspec.structs.replace(facts.certificates[0], key=None, not_before=None, issuer="")
    seen = CertificatesSeen()
    seen.take(msgspec.structs.replace(facts, certificates=(broken,)))
    (row,) = seen.rows("r")
    assert (row["lifetime_days"], row["key"], row["issuer_organisation"]) == (None, "", "")
