"""Trust: every verdict beside that of the real `openssl verify`; anchors from files; one store for many threads."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import crypto
from OpenSSL._util import lib as openssl

from audits import trust
from audits.trust import ChainVerdict, TrustStore, TrustStoreError, has_readable_key, load_trust_store, verify_chain
from scanner.certificates import certificate_from_der
from tests.audits.chain_states import DAY, EXPIRED, INTER, LEAF, MX, ROOT, State, long_chain, states
from tests.audits.openssl_referee import require_openssl, verify_codes
from tests.certificate_factory import (
    CLIENT_AUTH,
    SEEN,
    Issued,
    Key,
    bits,
    ec_key,
    extended_key_usage,
    identifier,
    intermediate,
    leaf,
    root,
    self_signed,
    sequence,
)

STATES = states()
FUZZED = TrustStore([ROOT.der])


def store_of(*anchors: Issued) -> TrustStore:
    return TrustStore([anchor.der for anchor in anchors])


def verdict(*chain: Issued, anchor: Issued = ROOT, at: datetime = SEEN, depth: int = 9) -> ChainVerdict:
    return verify_chain(store_of(anchor), [certificate.facts for certificate in chain], at, depth)


# --- the real OpenSSL as referee -----------------------------------------------------------------------------------


def test_there_are_enough_states_of_both_kinds() -> None:
    trusted = sum(state.code == 0 for state in STATES)
    assert len(STATES) >= 100
    assert trusted >= 40
    assert len({state.code for state in STATES}) >= 15
    assert len({state.title for state in STATES}) == len(STATES)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.title)
def test_every_state_is_judged_as_openssl_judges_it(state: State, tmp_path: Path) -> None:
    found = verify_chain(
        store_of(*state.anchors), [certificate.facts for certificate in state.chain], SEEN, state.verify_depth
    )
    assert (found.error_code, found.trusted) == (state.code, state.code == 0)
    require_openssl()
    assert verify_codes(state, tmp_path)[:1] == ([state.code] if state.code else [])


# --- the words of a verdict ----------------------------------------------------------------------------------------


def test_a_trusted_chain() -> None:
    assert verdict(LEAF, INTER) == ChainVerdict(
        trusted=True, verified=(LEAF.sha256, INTER.sha256, ROOT.sha256), verified_depth=2, received_depth=1
    )


def test_an_expired_leaf() -> None:
    assert verdict(leaf(INTER, MX, **EXPIRED), INTER) == ChainVerdict(
        trusted=False,
        result="certificate-expired",
        reason="certificate has expired",
        error_code=10,
        error_depth=0,
        received_depth=1,
    )


@pytest.mark.parametrize(
    ("title", "result", "words", "depth"),
    [
        ("intermediate expired", "certificate-expired", "certificate has expired", 1),
        ("leaf not yet valid", "validation-failure", "certificate is not yet valid", 0),
        ("missing intermediate", "certificate-not-trusted", "unable to get local issuer certificate", 0),
        ("self-signed", "certificate-not-trusted", "self-signed certificate", 0),
        (
            "private CA that sends its root",
            "certificate-not-trusted",
            "self-signed certificate in certificate chain",
            1,
        ),
        ("intermediate is no CA", "certificate-not-trusted", "invalid CA certificate", 1),
        ("path length exceeded", "certificate-not-trusted", "path length constraint exceeded", 2),
        ("outside the permitted names", "certificate-not-trusted", "permitted subtree violation", 0),
        ("signature broken", "certificate-not-trusted", "certificate signature failure", 0),
        ("for clients only", "validation-failure", "unsuitable certificate purpose", 0),
        ("unknown critical extension", "validation-failure", "unhandled critical extension", 0),
        ("a time with an offset", "validation-failure", "format error in certificate's notBefore field", 0),
        ("leaf of RSA-512", "validation-failure", "EE certificate key too weak (512 bits)", 0),
        ("intermediate of RSA-768", "validation-failure", "CA certificate key too weak (768 bits)", 1),
        ("anchor of RSA-768", "validation-failure", "CA certificate key too weak (768 bits)", 1),
        (
            *("intermediate signed with sha1", "validation-failure"),
            *("CA signature digest algorithm too weak (sha1With", 1),
        ),
        (
            *("leaf signed with PSS and sha1", "validation-failure"),
            *("CA signature digest algorithm too weak (rsassaPss)", 0),
        ),
        (
            *("depth 0, 2 intermediates", "certificate-not-trusted"),
            *("certificate chain too long (2 intermediate certificates)", 1),
        ),
    ],
)
def test_result_words_and_depth(title: str, result: str, words: str, depth: int) -> None:
    (state,) = (state for state in STATES if state.title == title)
    facts = [certificate.facts for certificate in state.chain]
    found = verify_chain(store_of(*state.anchors), facts, SEEN, state.verify_depth)
    assert (found.result, found.error_depth) == (result, depth)
    assert found.reason.startswith(words), "newer versions of OpenSSL say more in places"


def test_what_our_own_rules_refuse_still_shows_its_verified_chain() -> None:
    chain = long_chain(2)
    found = verdict(*chain, depth=0)
    assert (found.trusted, found.verified_depth, found.verified[-1]) == (False, 3, ROOT.sha256)
    weak = verdict(leaf(INTER, MX, hash="sha1"), INTER)
    assert (weak.trusted, weak.verified_depth) == (False, 2)


def test_of_several_faults_openssl_comes_before_our_own_rules() -> None:
    """`openssl verify` names the weak signature first; both answers are untrusted."""
    assert verdict(leaf(INTER, MX, hash="sha1", **EXPIRED), INTER).reason == "certificate has expired"


def test_a_chain_beyond_all_measure_is_ended_by_openssl() -> None:
    found = verdict(*long_chain(120), depth=1000)
    assert (found.trusted, found.error_code, found.result) == (False, 22, "certificate-not-trusted")


# --- what the server sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "root_included", "out_of_order", "self_signed_leaf"),
    [
        ("two intermediates", False, False, False),
        ("out of order", False, True, False),
        ("root included", True, False, False),
        ("root included, out of order", True, True, False),
        ("duplicate leaf", False, False, False),
        ("every certificate twice", False, False, False),
        ("unrelated certificates", True, False, False),
        ("leaf not first", False, True, False),
        ("cross-signed, ours first", False, False, False),
        ("private CA that sends its root", True, False, False),
        ("self-signed", False, False, True),
    ],
)
def test_the_shape_of_the_chain(title: str, root_included: bool, out_of_order: bool, self_signed_leaf: bool) -> None:
    (state,) = (state for state in STATES if state.title == title)
    found = verify_chain(store_of(*state.anchors), [certificate.facts for certificate in state.chain], SEEN)
    assert [found.root_included, found.out_of_order, found.self_signed] == [
        root_included,
        out_of_order,
        self_signed_leaf,
    ]
    assert found.received_depth == len(state.chain) - 1


def test_no_chain_at_all() -> None:
    found = verdict()
    assert found == ChainVerdict(
        trusted=False, result="validation-failure", reason="the server sent no certificate", error_code=1
    )


@pytest.mark.parametrize("junk", [b"", b"junk", LEAF.der[:-1], LEAF.der[:60]])
def test_unreadable_certificates_are_a_verdict(junk: bytes) -> None:
    facts = certificate_from_der(junk)
    for place, chain in ((1, [facts, INTER.facts]), (2, [LEAF.facts, facts])):
        found = verify_chain(store_of(ROOT), chain, SEEN)
        assert (found.trusted, found.result, found.verified) == (False, "validation-failure", ())
        assert found.reason.startswith(f"certificate {place} of the chain cannot be read: ")


@given(st.data())
def test_any_octet_may_be_wrong(data: st.DataObject) -> None:
    chain = [bytearray(LEAF.der), bytearray(INTER.der)]
    for certificate in chain:
        certificate[data.draw(st.integers(0, len(certificate) - 1))] = data.draw(st.integers(0, 255))
    found = verify_chain(FUZZED, [certificate_from_der(bytes(certificate)) for certificate in chain], SEEN)
    assert found.trusted == (found.result == "") == (found.error_code == 0)


def test_a_key_that_nobody_can_read() -> None:
    """OpenSSL's own verification refuses it so far; our rule must not rely on that."""
    key = Key(sequence(sequence(identifier("1.2.3.4")), bits(b"?")), b"", ec_key().sign)
    strange = leaf(INTER, MX, key=key)
    assert verdict(strange, INTER).result == "validation-failure"
    assert not verdict(strange, INTER, anchor=strange).trusted
    assert trust._weak_key(crypto.load_certificate(crypto.FILETYPE_ASN1, strange.der)) == "unreadable: decode error"


def test_verdicts_survive_json() -> None:
    for found in (verdict(LEAF, INTER), verdict(LEAF), verdict()):
        assert msgspec.json.decode(msgspec.json.encode(found), type=ChainVerdict) == found


# --- the moment of verification ------------------------------------------------------------------------------------


def test_the_moment_is_when_the_chain_was_seen() -> None:
    store = store_of(ROOT)
    short = leaf(INTER, MX, not_before=SEEN - DAY, not_after=SEEN + DAY)
    chain = [short.facts, INTER.facts]
    days = (-2, 0, 2, 0, -2)
    found = [verify_chain(store, chain, SEEN + days * DAY).error_code for days in days]
    assert found == [9, 0, 10, 0, 9]


def test_times_of_other_zones_are_the_same_moment() -> None:
    short = leaf(INTER, MX, not_after=SEEN + timedelta(hours=1))
    east = SEEN.astimezone(timezone(timedelta(hours=14)))
    assert verdict(short, INTER, at=east).trusted


def test_one_store_serves_many_threads() -> None:
    """The time belongs to the store, so verifications at different moments must not meet."""
    store = store_of(ROOT)
    short = leaf(INTER, MX, not_before=SEEN - DAY, not_after=SEEN + DAY)
    chain = [short.facts, INTER.facts]

    def code(number: int) -> int:
        return verify_chain(store, chain, SEEN + (number % 3 - 1) * 2 * DAY).error_code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(code, range(600)))
    assert found == [(9, 0, 10)[number % 3] for number in range(600)]


def test_a_failed_verification_leaves_no_errors_for_the_next_handshake() -> None:
    broken = Issued(LEAF.der[:-4] + b"nope", LEAF.key, LEAF.subject)
    assert verdict(broken, INTER).error_code == 7
    assert openssl.ERR_peek_error() == 0


# --- the private call ----------------------------------------------------------------------------------------------


def test_the_server_purpose_is_set_by_the_private_call() -> None:
    """Without it OpenSSL would accept a certificate for clients: the difference shows that the call works."""
    client = leaf(ROOT, MX, extensions=(extended_key_usage(CLIENT_AUTH),))
    subject = crypto.load_certificate(crypto.FILETYPE_ASN1, client.der)
    store = crypto.X509Store()
    store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, ROOT.der))
    store.set_time(SEEN)
    crypto.X509StoreContext(store, subject).verify_certificate()
    trust._set_server_purpose(store)
    with pytest.raises(crypto.X509StoreContextError, match="unsuitable certificate purpose"):
        crypto.X509StoreContext(store, subject).verify_certificate()
    store.set_time(SEEN)
    with pytest.raises(crypto.X509StoreContextError, match="unsuitable certificate purpose"):
        crypto.X509StoreContext(store, subject).verify_certificate()


# --- anchors -------------------------------------------------------------------------------------------------------

A, B = root("A"), root("B")


def test_the_digest_is_over_the_sorted_anchors() -> None:
    ders = sorted((A.der, B.der))
    store = TrustStore([B.der, A.der, B.der])
    assert (store.count, store.digest) == (2, hashlib.sha256(b"".join(ders)).hexdigest())
    assert store.digest == TrustStore([A.der, B.der]).digest != TrustStore([A.der]).digest


def test_files_and_directories_together(tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_bytes(b"# A comment\n" + A.pem + b"\nA name\n" + B.pem.replace(b"\n", b"\r\n"))
    hashed, plain = tmp_path / "hashed", tmp_path / "plain"
    hashed.mkdir()
    (hashed / "0123abcd.0").write_bytes(ROOT.pem)
    (hashed / "0123abcd.r0").write_bytes(b"a revocation list")
    (hashed / "unhashed.pem").write_bytes(INTER.pem)
    (hashed / "dead0000.0").symlink_to(tmp_path / "gone")
    plain.mkdir()
    (plain / "x.crt").write_bytes(INTER.pem)
    (plain / "readme.txt").write_text("nothing", encoding="utf-8")
    store = load_trust_store([tmp_path / "bundle.pem"], [hashed, plain], system=False)
    assert store.digest == store_of(A, B, ROOT, INTER).digest


def broken_places(folder: Path) -> dict[str, Path]:
    (folder / "empty.pem").write_bytes(b"")
    (folder / "half.pem").write_bytes(A.pem[:200])
    (folder / "base64.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")
    (folder / "der.pem").write_bytes(A.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return {path.name: path for path in (*folder.iterdir(), folder / "missing.pem", folder)}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.pem", "empty.pem has no certificate in PEM"),
        ("half.pem", "half.pem has no certificate in PEM"),
        ("base64.pem", "base64.pem is no PEM file"),
        ("der.pem", "certificate 2 of .*der.pem cannot be read"),
        ("missing.pem", "cannot read .*missing.pem: No such file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(TrustStoreError, match=words):
        load_trust_store([broken_places(tmp_path)[name]], system=False)


def test_directories_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TrustStoreError, match="has no certificate files"):
        load_trust_store([], [tmp_path], system=False)
    with pytest.raises(TrustStoreError, match=r"cannot read .*gone: No such file"):
        load_trust_store([], [tmp_path / "gone"], system=False)
    with pytest.raises(TrustStoreError, match=r"cannot read .*: Is a directory"):
        load_trust_store([tmp_path], system=False)


def test_no_anchors_at_all() -> None:
    with pytest.raises(TrustStoreError, match="a trust anchor cannot be read"):
        TrustStore([b"junk"])
    with pytest.raises(TrustStoreError, match="no trust anchors: give some"):
        load_trust_store(system=False)


def test_anchors_of_the_system_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's ssl reads SSL_CERT_FILE, as every OpenSSL does."""
    (tmp_path / "anchors.pem").write_bytes(A.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "anchors.pem"))
    assert load_trust_store().digest == store_of(A).digest
    (tmp_path / "more.pem").write_bytes(B.pem)
    assert load_trust_store([tmp_path / "more.pem"]).digest == store_of(A, B).digest


def test_anchors_of_the_system_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    folder = tmp_path / "certs"
    folder.mkdir()
    monkeypatch.setattr(trust, "SYSTEM_BUNDLES", (str(tmp_path / "gone"), str(tmp_path / "bundle")))
    monkeypatch.setattr(trust, "SYSTEM_DIRECTORIES", (str(tmp_path / "gone"), str(folder)))
    with pytest.raises(TrustStoreError, match="no trust anchors of the system found"):
        load_trust_store()
    (folder / "b.pem").write_bytes(B.pem)
    assert load_trust_store().digest == store_of(B).digest
    (tmp_path / "bundle").write_bytes(A.pem)
    assert load_trust_store().digest == store_of(A).digest


def test_a_store_with_the_anchors_of_a_system_still_decides() -> None:
    """150 anchors, among them old keys and names that strict parsers refuse."""
    anchors = [root(f"Filler {number}", key=ec_key()).der for number in range(150)]
    store = TrustStore([*anchors, ROOT.der])
    assert store.count == 151
    assert verify_chain(store, [LEAF.facts, INTER.facts], SEEN).trusted
    assert not verify_chain(store, [self_signed(MX).facts], SEEN).trusted


def test_keys_that_openssl_reads() -> None:
    for readable, der, certificate in (
        (True, LEAF.der, True),
        (True, LEAF.key.spki, False),
        (False, LEAF.key.spki, True),
        (False, LEAF.der, False),
        (False, bytes.fromhex("3003020100"), False),
        (False, b"", True),
    ):
        assert has_readable_key(der, certificate=certificate) is readable


def test_an_intermediate_that_was_seen_before_is_not_taken_for_another() -> None:
    twin = intermediate(ROOT, key=ec_key(label="twin"))
    assert verdict(LEAF, INTER).trusted
    assert verdict(LEAF, twin).error_code == 7
    assert verdict(LEAF, INTER).trusted
