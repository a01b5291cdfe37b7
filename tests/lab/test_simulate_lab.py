"""`policy simulate` is right: its predictions are what a real Postfix does under configurations drawn at random.

The facts come from two scans: all servers at depth standard, and those that are slow on purpose at depth policy.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from audits.postfix.main_cf import parse_main_cf
from audits.postfix.resolve import configuration
from audits.simulate.outcomes import SimulationCause
from audits.simulate.routing import routing_of
from audits.simulate.sender import sender_of
from audits.simulate.simulation import Setup, simulate
from audits.simulate_run import StoredRun
from audits.store import Store
from audits.tlsa import public_key_info
from scanner.facts import DomainFacts, Endpoint, EndpointFacts, MxHost

from .authority import pem
from .certificate_states import authority
from .laboratory import Laboratory, laboratory
from .namespace import run
from .outcomes import Key
from .scanning import scanning
from .simulate_cases import Case, is_open, unsettled, wrong
from .simulate_draws import FOLDER, Draw, draws
from .simulate_sender import End, drawing_postfix, send_draws

pytestmark = pytest.mark.lab
SLOW = {
    *("starttls-hang.test", "inside-hang.test", "tls-hang.test", "exim-connect-slow.test", "starttls-slow.test"),
    *("greeting-3-s.test", "greeting-teaser.test", "several-teaser-good.test", "silent.lame"),
}
"""Each question at depth standard would cost a timeout."""
LEAST = 300
MAX_UNTOLD = 0.05
"""Of the draws, where a fact is missing; servers that are silent or say 4xx, of which the lab is full, count apart."""
MISSING = {SimulationCause.NOT_SCANNED, SimulationCause.NOT_SIMULATED, ""}


class Together:
    """Two runs as one."""

    def __init__(self, quick: StoredRun, slow: StoredRun) -> None:
        self.quick, self.slow = quick, slow

    def domain(self, entry: str) -> DomainFacts | None:
        return self.quick.domain(entry) or self.slow.domain(entry)

    def host(self, name: str) -> MxHost | None:
        return self.quick.host(name) or self.slow.host(name)

    def endpoints(self, wanted: Iterable[Endpoint]) -> Mapping[Endpoint, EndpointFacts]:
        asked = list(wanted)
        return {**self.slow.endpoints(asked), **self.quick.endpoints(asked)}


@pytest.fixture(scope="module")
def cases() -> Iterator[list[Case]]:
    with ExitStack() as stack:
        lab = stack.enter_context(laboratory())
        tables = trust_anchors(lab)
        hosts = hosts_of(lab)
        drawn = draws(lab.domains, hosts, fingerprints(lab))
        log = stack.enter_context(drawing_postfix(lab.folder / "draws", drawn, tables))
        quick = [domain for domain in lab.domains if domain not in SLOW]
        with (
            scanning(lab, "quick", quick, "--depth", "standard"),
            scanning(lab, "slow", sorted(SLOW), "--depth", "policy"),
        ):
            ends = send_draws(drawn, log, lab.receiver_logs)
        yield [case for draw in drawn for case in predicted(lab, draw, ends, tables)]


def hosts_of(lab: Laboratory) -> dict[str, list[str]]:
    """The MX hosts of each domain, by the way in which the lab makes its zones."""
    hosts = {each.state.domain: [each.state.host] for each in lab.states}
    return hosts | {domain.name: [f"mx.{word}.test" for _, word in domain.hosts] for domain in lab.mail_domains}


def trust_anchors(lab: Laboratory) -> Path:
    """The root as a file and as a hashed directory, which the system trusts, too; a root that signed nothing here."""
    tables = lab.folder / "draw-tables"
    (tables / "hashed").mkdir(parents=True)
    shutil.copy(lab.trust_anchor, tables / "root.pem")
    (tables / "stranger.pem").write_bytes(pem(authority("Stranger", None, 40).certificate))
    shutil.copy(lab.trust_anchor, tables / "hashed" / f"{subject_hash(lab.trust_anchor)}.0")
    run("mount", "--bind", tables / "hashed", "/etc/ssl/certs")
    return tables


def fingerprints(lab: Laboratory) -> list[str]:
    """SHA-256 of certificates and of keys of the lab, as Postfix writes them."""
    found = []
    for file in sorted((lab.folder / "certificates").glob("*/*.pem")):
        leaf = load_pem_x509_certificates(file.read_bytes())[0]
        der = leaf.public_bytes(Encoding.DER)
        found += [sha256(text).hexdigest() for text in (der, public_key_info(der)) if text]
    return [":".join(digest[at : at + 2] for at in range(0, 64, 2)) for digest in found]


def subject_hash(certificate: Path) -> str:
    """The name by which OpenSSL looks for a certificate in a directory (openssl-rehash(1))."""
    from .zones import tool

    return tool(certificate.parent, "openssl", "x509", "-in", str(certificate), "-noout", "-subject_hash").strip()


def predicted(lab: Laboratory, draw: Draw, ends: Mapping[Key, End], tables: Path) -> Iterator[Case]:
    """The predictions for the messages of one configuration."""
    settings = {name: value.replace(FOLDER, str(tables)) for name, value in draw.settings.items()}
    if draw.next_hop:
        settings["default_transport"] = f"smtp:{draw.next_hop}"
    text = "compatibility_level = 3.6\nmyhostname = sender.test\n"
    main_cf = parse_main_cf(text, f"{draw.label}/main.cf").with_settings(settings)
    setup = Setup(sender_of(configuration(main_cf)), routing_of(main_cf))
    with Store.open(lab.folder / "quick.db") as quick, Store.open(lab.folder / "slow.db") as slow:
        known = Together(*(StoredRun(store, store.run("latest").id) for store in (quick, slow)))
        for domain in draw.domains:
            facts = known.domain(domain)
            assert facts is not None, domain
            yield Case(draw, domain, simulate(setup, known, facts), ends[draw.label.upper(), domain])


def test_predictions_are_what_happens(cases: list[Case]) -> None:
    known = [case for case in cases if not is_open(case.predicted)]
    chance = sum(case.predicted.outcome is None for case in known)
    print(f"{len(cases)} draws: {len(known)} known, of these {chance} left to chance; {len(wrong(known, False))} wrong")
    print("predicted:", dict(Counter(case.predicted.words for case in known).most_common()))
    assert len(cases) >= LEAST
    assert len({case.predicted.words for case in known}) >= 8
    if mistaken := wrong(known, as_scanned=False):
        pytest.fail("\n\n".join(map(str, mistaken)), pytrace=False)


def test_little_is_unknown_and_then_the_servers_do_as_they_did(cases: list[Case]) -> None:
    """Unknown are servers that were silent or said 4xx; behaving so again they lead to the end that is told beside."""
    unknown = [case for case in cases if is_open(case.predicted)]
    untold = [case for case in unknown if {outcome.cause for outcome in case.predicted.possible} & MISSING]
    print(f"unknown: {len(unknown)} of {len(cases)}, {len(untold)} for want of a fact")
    print(Counter(str(case.predicted.possible[0].detail)[:60] for case in untold).most_common(8))
    assert len(untold) <= MAX_UNTOLD * len(cases)
    told = [case for case in unknown if not any(unsettled(each) for each in case.predicted.as_scanned)]
    print(f"as during the scan: {len(told)} told, {len(wrong(told, as_scanned=True))} wrong")
    assert len(told) >= 0.9 * (len(unknown) - len(untold))
    if mistaken := wrong(told, as_scanned=True):
        pytest.fail("\n\n".join(map(str, mistaken)), pytrace=False)
