"""Which protocol versions a server speaks, and which it takes when it has the choice."""

from audits.established.tls_abilities import ProtocolVersions
from audits.established.tls_downgrade import DowngradeProtection
from audits.rules.tls_versions import ForbiddenVersions, downgrade_mark, fallback_signal, newest_version
from scanner.answers import Fact
from tests.audits.rules.examples import Examples

BOTH = ("TLSv1.3", "TLSv1.2")
OLD_TOO = (*BOTH, "TLSv1.0")


def versions(**offered: Fact) -> ProtocolVersions:
    return ProtocolVersions({f"TLSv1.{name[-1]}": fact for name, fact in offered.items()}, {"TLSv1.0": "alert 70"})


def choice(*offered: str, **more: object) -> DowngradeProtection:
    return DowngradeProtection(**({"offered": offered, "open": ()} | more))


EXAMPLES = {
    "TLS-001": Examples(
        expects={"forbidden": ["TLSv1.0", "TLSv1.1"]},
        passes=(versions(v0=Fact.NO, v1=Fact.NO, v2=Fact.YES),),
        fails=(versions(v0=Fact.YES, v1=Fact.INCONCLUSIVE),),
        opens=(versions(v0=Fact.NO, v1=Fact.INCONCLUSIVE), versions(v2=Fact.YES)),
    ),
    "TLS-002": Examples(
        expects={"any_of": ["TLSv1.2", "TLSv1.3"]},
        passes=(versions(v2=Fact.YES, v3=Fact.INCONCLUSIVE),),
        fails=(versions(v2=Fact.NO, v3=Fact.NO),),
        opens=(versions(v2=Fact.NO, v3=Fact.INCONCLUSIVE), versions(v2=Fact.NO)),
    ),
    "TLS-003": Examples(
        expects={},
        passes=(choice(*BOTH, taken="TLSv1.3"), choice("TLSv1.2", taken="TLSv1.2", open=("TLSv1.0",))),
        fails=(choice(*BOTH, taken="TLSv1.2"), choice(*BOTH, taken="TLSv1.2", open=("TLSv1.1",))),
        opens=(choice("TLSv1.2", taken="TLSv1.2", open=("TLSv1.3",)),),
    ),
    "TLS-004": Examples(
        expects={"forbidden": ["TLSv1.0"]},
        passes=(choice(*OLD_TOO, fallback_scsv=Fact.YES),),
        fails=(choice(*OLD_TOO, fallback_scsv=Fact.NO),),
        opens=(choice(*OLD_TOO), choice(*BOTH, open=("TLSv1.0",))),
    ),
    "TLS-005": Examples(
        expects={},
        passes=(choice(*BOTH, sentinel=Fact.YES),),
        fails=(choice(*BOTH, sentinel=Fact.NO),),
        opens=(choice(*BOTH), choice("TLSv1.2", open=("TLSv1.3",))),
    ),
}


def test_questions_that_do_not_arise():
    assert not [*newest_version.ask(choice(*BOTH), None)]
    assert not [*fallback_signal.ask(choice(*BOTH), ForbiddenVersions(("TLSv1.0",)))]
    for alone in BOTH:
        assert not [*downgrade_mark.ask(choice(alone), None)]
