"""`policy simulate` under DANE: what it predicts for the states of the DANE lab is what a real Postfix does."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from audits.postfix.main_cf import parse_main_cf
from audits.postfix.resolve import configuration
from audits.simulate.routing import routing_of
from audits.simulate.sender import sender_of
from audits.simulate.simulation import Setup, simulate
from audits.simulate_run import StoredRun
from audits.store import Store

from .dane_lab import CANARIES, DaneLab, dane_laboratory
from .dane_several import SEVERAL_HOSTS
from .outcomes import Key
from .scanning import scanning
from .simulate_cases import Case, is_open, wrong
from .simulate_draws import Draw
from .simulate_sender import End, drawing_postfix, send_draws

pytestmark = pytest.mark.lab
DNSSEC = {"smtp_dns_support_level": "dnssec", "smtp_host_lookup": "dns"}
CONFIGURATIONS: dict[str, dict[str, str]] = {
    "dane": {**DNSSEC, "smtp_tls_security_level": "dane"},
    "only": {**DNSSEC, "smtp_tls_security_level": "dane-only"},
    "entry": {**DNSSEC, "smtp_tls_security_level": "may", "smtp_tls_policy_maps": "static:dane"},
    "encrypt": {**DNSSEC, "smtp_tls_security_level": "dane", "smtp_tls_dane_insecure_mx_policy": "encrypt"},
    "lowered": {**DNSSEC, "smtp_tls_security_level": "dane", "smtp_tls_per_site": "static:MUST_NOPEERMATCH"},
    "unsigned": {"smtp_host_lookup": "dns", "smtp_tls_security_level": "dane"},
}
MAX_UNKNOWN = 0.1


@pytest.fixture(scope="module")
def cases() -> Iterator[list[Case]]:
    with dane_laboratory() as lab:
        domains = (*(state.domain for state in lab.states), *(each.domain for each in SEVERAL_HOSTS))
        trust = {"smtp_tls_CAfile": str(lab.trust_anchor)}
        drawn = [Draw(label, {**trust, **settings}, {}, "", domains) for label, settings in CONFIGURATIONS.items()]
        tables = lab.folder / "draw-tables"
        tables.mkdir()
        options = ("--dnssec-canary", ",".join(CANARIES), "--depth", "standard")
        with (
            drawing_postfix(lab.folder / "draws", drawn, tables) as log,
            scanning(lab, "dane", domains, *options),  # type: ignore[arg-type]
        ):
            ends = send_draws(drawn, log, [lab.folder / "receiver/maillog"])
        yield list(predicted(lab, drawn, ends))


def predicted(lab: DaneLab, drawn: list[Draw], ends: Mapping[Key, End]) -> Iterator[Case]:
    """The predictions, configuration by configuration."""
    with Store.open(lab.folder / "dane.db") as store:
        run = StoredRun(store, store.run("latest").id)
        for draw in drawn:
            text = "compatibility_level = 3.6\nmyhostname = sender.test\n"
            main_cf = parse_main_cf(text, f"{draw.label}/main.cf").with_settings(draw.settings)
            setup = Setup(sender_of(configuration(main_cf)), routing_of(main_cf))
            for domain in draw.domains:
                facts = run.domain(domain)
                assert facts is not None, domain
                yield Case(draw, domain, simulate(setup, run, facts), ends[draw.label.upper(), domain])


def test_predictions_are_what_happens(cases: list[Case]) -> None:
    known = [case for case in cases if not is_open(case.predicted)]
    unknown = [case for case in cases if is_open(case.predicted)]
    print(f"{len(cases)} messages, {len(unknown)} unknown, {len(wrong(known, as_scanned=False))} wrong")
    print("predicted:", dict(Counter(case.predicted.words for case in known).most_common()))
    print("unknown:", Counter(f"{case.predicted.possible[0].detail}"[:70] for case in unknown).most_common(6))
    assert len(known) >= 300
    assert len(unknown) <= MAX_UNKNOWN * len(cases)
    if mistaken := wrong(known, as_scanned=False):
        pytest.fail("\n\n".join(map(str, mistaken)), pytrace=False)
