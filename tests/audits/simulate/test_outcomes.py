"""The words of a simulation as people read them."""

import msgspec
import pytest

from audits.simulate.outcomes import Kind, Outcome, SimulationCause, Why, Word


@pytest.mark.parametrize(
    ("outcome", "words", "delivered"),
    [
        (Outcome(Kind.CLEAR), "clear", True),
        (Outcome(Kind.TLS, Word.VERIFIED), "Verified TLS", True),
        (Outcome(Kind.TLS, Word.UNKNOWN), "TLS (unknown)", True),
        (Outcome(Kind.THEN_CLEAR, late=True), "deferred, then clear", True),
        (Outcome(Kind.NEXT_MX), "next MX", False),
        (Outcome(Kind.BOUNCED), "bounced", False),
        (Outcome(Kind.UNKNOWN), "unknown", False),
    ],
)
def test_an_outcome_in_words(outcome: Outcome, words: str, delivered: bool) -> None:
    assert (str(outcome), outcome.delivered) == (words, delivered)
    assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome


def test_a_cause_with_its_fact() -> None:
    assert str(Why(SimulationCause.NOT_SCANNED, "the run has no facts")) == "not-scanned: the run has no facts"
    assert str(Why("null-mx")) == "null-mx"
