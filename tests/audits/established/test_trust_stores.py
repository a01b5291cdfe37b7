"""Trust by the stores that devices bring along."""

import ssl
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path

import msgspec

from audits.established.trust_stores import _FOLDER, BUNDLES, Stores, TrustByStores, stores, stores_of
from audits.established.views import Missing
from scanner.certificates import certificate_from_der
from tests.audits.rules.chains import INTER, MX
from tests.audits.session_factory import SILENT, asked
from tests.certificate_factory import SEEN, leaf

from .views import endpoint, serving

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
FOLDER = Path(str(distribution("sslyze").locate_file(_FOLDER)))


def test_all_bundles_are_there_and_differ():
    found = stores()
    assert isinstance(found, Stores)
    assert found.stores.keys() == BUNDLES.keys()
    assert len({store.digest for store in found.stores.values()}) >= 5
    assert min(store.count for store in found.stores.values()) > 80
    assert found.edition == f"sslyze {distribution('sslyze').version}"


def test_a_private_chain_is_trusted_by_none():
    seen = TrustByStores.of_endpoint(endpoint(serving(leaf(INTER, MX), INTER)))
    assert isinstance(seen, TrustByStores)
    assert seen.verdicts.keys() == BUNDLES.keys()
    assert {verdict.result for verdict in seen.verdicts.values()} == {"certificate-not-trusted"}
    assert all(edition.startswith("sslyze ") for edition in seen.editions.values())


def test_a_root_is_trusted_by_those_stores_that_have_it_and_no_other():
    """A root that Windows and Java have and Mozilla lacks, shown as a chain of its own."""
    anchors = {name: certificates_of(FOLDER / f"{file}.pem") for name, file in BUNDLES.items()}
    for der in sorted(anchors["windows"] & anchors["java"] - anchors["mozilla"]):
        facts = certificate_from_der(der)
        namesakes = [one for one in anchors["windows"] if certificate_from_der(one).subject == facts.subject]
        if len(namesakes) == 1 and facts.not_after and facts.not_after > datetime(2030, 1, 1, tzinfo=UTC):
            break
    shown = serving(leaf(INTER, MX))
    handshake = msgspec.structs.replace(shown.sessions[0].handshake, chain=(facts.sha256,))
    sessions = tuple(msgspec.structs.replace(session, handshake=handshake) for session in shown.sessions)
    view = endpoint(msgspec.structs.replace(shown, sessions=sessions, certificates=(facts,)))
    seen = TrustByStores.of_endpoint(view)
    assert isinstance(seen, TrustByStores)
    by_trust = {name for name, verdict in seen.verdicts.items() if verdict.result != "certificate-not-trusted"}
    assert by_trust == {name for name, ders in anchors.items() if der in ders}
    assert {"windows", "java"} <= by_trust
    assert "mozilla" not in by_trust


def test_a_chain_is_verified_once_and_anew_at_another_moment():
    found = stores()
    assert isinstance(found, Stores)
    chain = [leaf(INTER, MX, serial=4711).facts]
    first = found.verdicts(chain, SEEN)
    assert found.verdicts(list(chain), SEEN) is first
    assert found.verdicts(chain, SEEN.replace(year=2027)) is not first


def test_a_package_without_bundles_leaves_the_question_open(tmp_path):
    found = stores_of(distribution("sslyze"), tmp_path)
    assert isinstance(found, Missing)
    assert "brings no usable store" in found.why


def test_without_the_package_the_reason_says_what_to_install():
    found = stores("no-such-package")
    assert isinstance(found, Missing)
    assert "tlsaudit[vulnerabilities]" in found.why


def test_a_silent_server_is_not_judged():
    assert isinstance(TrustByStores.of_endpoint(endpoint(asked(SILENT))), Missing)


def certificates_of(file: Path) -> set[bytes]:
    """The DER of a bundle, read by the standard library."""
    blocks = file.read_text().split(BEGIN)[1:]
    return {ssl.PEM_cert_to_DER_cert(f"{BEGIN}{block.split(END)[0]}{END}\n") for block in blocks}
