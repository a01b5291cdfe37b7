"""Reads an evidence pack, after every file of it was compared with the manifest."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from audits.evidence.layout import (
    CERTIFICATES,
    DOMAINS,
    ENDPOINTS,
    FORMAT,
    RECORDS,
    RUN,
    PackedEndpoint,
    PackedRun,
)
from audits.evidence.manifest import SHOWN, EvidenceError, check
from scanner.domain_name import printable
from scanner.facts import DomainFacts, EndpointFacts
from scanner.tls_facts import CertificateFacts

if TYPE_CHECKING:
    from audits.store import RunInfo, Store

_MAX_LINE = 64 * 1024 * 1024
"""Bytes of one line; a longer one is no fact of ours."""
_BATCH = 200
_NO_FACTS = (msgspec.MsgspecError, RecursionError)
"""What the decoder says of other JSON, and of JSON that is nested for its own sake."""
T = TypeVar("T")


def check_pack(folder: Path) -> PackedRun:
    """The run of a pack whose every file is what it was; `EvidenceError` where not."""
    check(folder)
    try:
        run = msgspec.json.decode((folder / RUN).read_bytes(), type=PackedRun)
    except (OSError, *_NO_FACTS) as error:
        raise EvidenceError(f"{folder / RUN}: {printable(str(error), SHOWN)}") from None
    if run.format != FORMAT:
        raise EvidenceError(f"{folder / RUN}: format {run.format}, this tlsaudit reads {FORMAT}")
    return run


def packed_domains(folder: Path) -> Iterator[DomainFacts]:
    """The domains of a checked pack, in the order of the run."""
    return _lines(folder / DOMAINS, DomainFacts)


def packed_endpoints(folder: Path) -> Iterator[EndpointFacts]:
    """The endpoints of a checked pack, with their certificates."""
    certificates = {}
    for facts in _lines(folder / CERTIFICATES, CertificateFacts):
        _refuse_without_zone(folder / CERTIFICATES, facts.not_before, facts.not_after)
        certificates[facts.sha256] = msgspec.structs.replace(facts, der=_der(folder, facts.sha256))
    for packed in _lines(folder / ENDPOINTS, PackedEndpoint):
        _refuse_without_zone(folder / ENDPOINTS, packed.facts.seen_at)
        try:
            chain = tuple(certificates[sha256] for sha256 in packed.certificates)
        except KeyError as error:
            raise EvidenceError(f"{folder / ENDPOINTS}: certificate {error} is not in the pack") from None
        yield msgspec.structs.replace(packed.facts, certificates=chain)


def _refuse_without_zone(file: Path, *moments: datetime | None) -> None:
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        raise EvidenceError(f"{file}: a time without its zone cannot be compared with others")


def _der(folder: Path, sha256: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise EvidenceError(f"{folder / CERTIFICATES}: {sha256!r} is no SHA-256")
    file = folder / "certificates" / f"{sha256}.der"
    try:
        der = file.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{file}: {error.strerror}") from None
    if hashlib.sha256(der).hexdigest() != sha256:
        raise EvidenceError(f"{file}: its SHA-256 is not its name")
    return der


def _lines(file: Path, kind: type[T]) -> Iterator[T]:
    return (value for value, _ in _read_lines(file, kind))


def _read_lines(file: Path, kind: type[T]) -> Iterator[tuple[T, bytes]]:
    """Each line, decoded and as it stands there."""
    decoder = msgspec.json.Decoder(kind)
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE), b""), 1):
                try:
                    yield decoder.decode(line), line.rstrip(b"\n")
                except _NO_FACTS as error:
                    raise EvidenceError(f"{file}:{number}: {printable(str(error), SHOWN)}") from None
    except OSError as error:
        raise EvidenceError(f"{file}: {error.strerror}") from None


def load_pack(folder: Path, store: "Store") -> "RunInfo":
    """Puts a pack into a store as a run of its own, so that everything that reads runs can read it.

    The pack of a run that did not come to its end stays one.
    """
    from audits.store import DomainResult, RunStart

    run = check_pack(folder)
    start = RunStart(
        started=run.started,
        input_digest=run.input_digest,
        options=msgspec.json.format(run.options, indent=-1),
        tool_version=run.tool_version,
        trust_digest=run.trust_digest,
    )
    info = store.begin_run(start, (facts.target for facts in packed_domains(folder)))
    for seen in _batches(packed_endpoints(folder)):
        store.save(info.id, endpoints=seen)
    results = zip_longest(
        store.pending_targets(info.id), packed_domains(folder), _read_lines(folder / RECORDS, _Graded)
    )
    for batch in _batches(results):
        if any(None in row for row in batch):
            raise EvidenceError(f"{folder}: {DOMAINS} and {RECORDS} have not one line each for every domain")
        store.save(info.id, [DomainResult(to.seq, facts, graded.grade, line) for to, facts, (graded, line) in batch])
    return store.finish_run(info.id, run.finished) if run.finished else store.run(info.name)


class _Graded(msgspec.Struct, frozen=True):
    grade: str


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for value in values:
        batch.append(value)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
