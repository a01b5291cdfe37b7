"""The files of a pack: what stands in them comes back."""

from datetime import UTC, datetime

import msgspec

from audits.evidence.layout import FORMAT, PackedEndpoint, PackedRun
from tests.audits.reports.report_factory import healthy


def test_an_endpoint_names_its_certificates_by_their_hash():
    seen = healthy(0)
    packed = PackedEndpoint(msgspec.structs.replace(seen, certificates=()), tuple(c.sha256 for c in seen.certificates))
    assert msgspec.json.decode(msgspec.json.encode(packed), type=PackedEndpoint) == packed


def test_a_run_comes_back():
    run = PackedRun(
        format=FORMAT,
        name="n",
        started=datetime(2026, 11, 21, tzinfo=UTC),
        finished=None,
        exported=datetime(2026, 11, 22, tzinfo=UTC),
        options=msgspec.Raw(b"{}"),
        input_digest="d",
        tool_version="1",
        trust_digest="t",
        trust_digest_of_pack="t",
        domains=1,
    )
    read = msgspec.json.decode(msgspec.json.encode(run), type=PackedRun)
    assert (read.started, bytes(read.options), read.domains) == (run.started, b"{}", 1)
