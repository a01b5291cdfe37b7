"""Writes an evidence pack: whole or not at all, into a folder of its own."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from audits.evidence.layout import (
    CERTIFICATES,
    DOMAINS,
    ENDPOINTS,
    FORMAT,
    OTHER_ANCHORS,
    README,
    RECORDS,
    RUN,
    SAME_ANCHORS,
    TRUST,
    PackedEndpoint,
    PackedRun,
)
from audits.evidence.manifest import sign
from audits.json_text import json_text
from audits.output import OutputError

if TYPE_CHECKING:
    from audits.store import RunInfo, Store
    from audits.trust import TrustStore


def write_pack(store: "Store", run: "RunInfo", trust: "TrustStore", folder: Path, now: datetime) -> None:
    """Writes the pack. The folder must not exist, and appears whole or not at all."""
    if folder.exists():
        raise OutputError(f"{folder} exists already: name a new folder, nothing is overwritten")
    try:
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name[:100]}.", dir=folder.resolve().parent))
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from None
    try:
        _fill(building, store, run, trust, now)
        sign(building)
        building.chmod(0o755)
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _fill(folder: Path, store: "Store", run: "RunInfo", trust: "TrustStore", now: datetime) -> None:
    (folder / "facts").mkdir()
    (folder / "certificates").mkdir()
    with (folder / DOMAINS).open("wb") as domains, (folder / RECORDS).open("wb") as records:
        for result in store.domains(run.id):
            _write_line(domains, result.facts)
            records.write(json_text(result.judgement).encode() + b"\n")  # as `judge --format jsonl` writes it
    known: set[str] = set()
    with (folder / ENDPOINTS).open("wb") as endpoints, (folder / CERTIFICATES).open("wb") as certificates:
        for seen in store.endpoints(run.id):
            hashes = tuple(certificate.sha256 for certificate in seen.certificates)
            _write_line(endpoints, PackedEndpoint(msgspec.structs.replace(seen, certificates=()), hashes))
            for certificate in seen.certificates:
                if certificate.sha256 not in known:
                    known.add(certificate.sha256)
                    _write_line(certificates, msgspec.structs.replace(certificate, der=b""))
                    (folder / "certificates" / f"{certificate.sha256}.der").write_bytes(certificate.der)
    (folder / TRUST).write_bytes(trust.pem())
    (folder / RUN).write_bytes(msgspec.json.format(msgspec.json.encode(_packed_run(run, trust, now)), indent=2))
    anchors, outcome = SAME_ANCHORS if trust.digest == run.trust_digest else OTHER_ANCHORS
    text = README.format(version=run.tool_version, anchors=anchors, outcome=outcome)
    (folder / "README.txt").write_text(text, "utf-8")


def _packed_run(run: "RunInfo", trust: "TrustStore", now: datetime) -> PackedRun:
    return PackedRun(
        format=FORMAT,
        name=run.name,
        started=run.started,
        finished=run.finished,
        exported=now,
        options=msgspec.Raw(run.options),
        input_digest=run.input_digest,
        tool_version=run.tool_version,
        trust_digest=run.trust_digest,
        trust_digest_of_pack=trust.digest,
        domains=run.done,
    )


def _write_line(stream: IO[bytes], value: Any) -> None:
    stream.write(msgspec.json.encode(value) + b"\n")
