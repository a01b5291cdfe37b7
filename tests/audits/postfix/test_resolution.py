"""The result survives a round trip through JSON, so that simulations can store it."""

import msgspec

from audits.postfix.resolution import Attribute, KeyLookup, Reason, Resolution, Role, Rule
from audits.postfix.tables import Hit, LookupFailure, Miss
from audits.postfix.tls_levels import TlsLevel


def test_round_trip() -> None:
    resolution = Resolution(
        level=TlsLevel.SECURE,
        why=(Reason(Rule.POLICY_FOUND, "because"),),
        lookups=(
            KeyLookup(Role.NEXT_HOP, "example.org", Hit("secure", "t:1")),
            KeyLookup(Role.HOST, "mx.example.org", Miss()),
            KeyLookup(Role.HOST, "mx2.example.org", LookupFailure("broken")),
        ),
        warnings=("careful",),
        wanted=TlsLevel.SECURE,
        attributes=(Attribute("match", "nexthop"),),
    )
    assert msgspec.json.decode(msgspec.json.encode(resolution), type=Resolution) == resolution
