"""What a domain's published policy shows only over time: two runs beside each other (RFC 8461 section 3.1)."""

from scanner.facts import DomainFacts
from scanner.policy_facts import MtaStsFacts


def drift(before: DomainFacts, now: DomainFacts) -> tuple[str, ...]:
    """Faults in the way from an earlier look to this one. The id of a policy must change with the policy."""
    old, new = _policy(before), _policy(now)
    if old is None or new is None or old.record is None or new.record is None:
        return ()
    same_id = old.record.id == new.record.id != ""
    if same_id and _said(old) != _said(new):
        return (f"the MTA-STS policy changed and its id {new.record.id} did not: senders keep the old policy",)
    return ()


def _policy(facts: DomainFacts) -> MtaStsFacts | None:
    """The MTA-STS facts of a look that found a valid policy."""
    sts = facts.policy.mta_sts if facts.policy else None
    return sts if sts is not None and sts.policy is not None and not sts.policy.problem else None


def _said(sts: MtaStsFacts) -> tuple[object, ...]:
    """What senders act on; other bytes of the text may change freely."""
    assert sts.policy is not None
    return sts.policy.mode, sts.policy.max_age_s, frozenset(sts.policy.mx)
