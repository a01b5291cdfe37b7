"""The files of an evidence pack and what stands in them.

`facts/*.jsonl` hold what was seen, `certificates/` each chain's DER by its SHA-256, `records.jsonl` what was judged
then, `trust.pem` the anchors. `SHA256SUMS` covers every file; `sha256sum -c SHA256SUMS` checks it without tlsaudit.
Certificates stand in the facts with everything but their DER, which is put back when the pack is read.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from scanner.facts import EndpointFacts

FORMAT = 1
RUN, DOMAINS, ENDPOINTS = "run.json", "facts/domains.jsonl", "facts/endpoints.jsonl"
CERTIFICATES, RECORDS, TRUST = "facts/certificates.jsonl", "records.jsonl", "trust.pem"
README = """\
Evidence of a scan of mail servers by tlsaudit {version}.

run.json        the run: when, with which options, by which version, with which trust store
facts/          what was seen: domains, endpoints with their transcripts, certificates; one JSON object a line
certificates/   the DER of each certificate, by its SHA-256
records.jsonl   how it was judged then
trust.pem       the trust anchors at hand when the pack was made; {anchors}
SHA256SUMS      check with: sha256sum -c SHA256SUMS

To judge it again, offline:  tlsaudit judge --evidence DIR --baseline ID --no-system-trust --cafile DIR/trust.pem
{outcome}
Times are UTC, by the clock of the machine that scanned.
"""
SAME_ANCHORS = (
    "the very ones of the run",
    """\
With this version and the options of the scan (--baseline, --waivers; --verify-depth and --require, see run.json),
--format jsonl gives the bytes of records.jsonl.""",
)
OTHER_ANCHORS = (
    "NOT those of the run, see run.json",
    """\
WARNING: trust.pem does not hold the trust anchors of the run (trust_digest in run.json is not trust_digest_of_pack).
Judged by trust.pem, grades, reasons and findings may differ from records.jsonl. If the anchors of the run are at hand,
name them in place of trust.pem, or make a new pack with the --cafile, --capath and --no-system-trust of the scan:
tlsaudit export RUN --evidence DIR --cafile FILE""",
)
"""What the README says of `trust.pem`, and of what comes of judging by it."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time that says which: without its zone it cannot be compared with others."""


class PackedRun(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`."""

    format: int
    name: str
    started: Moment
    finished: Moment | None
    exported: Moment
    options: msgspec.Raw
    input_digest: str
    tool_version: str
    trust_digest: str
    trust_digest_of_pack: str
    domains: int


class PackedEndpoint(msgspec.Struct, frozen=True):
    """A line of `facts/endpoints.jsonl`: the facts without certificates, which are named by their SHA-256."""

    facts: EndpointFacts
    certificates: tuple[str, ...]
