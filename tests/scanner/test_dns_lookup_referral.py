"""A resolver that does not recurse refers to others; that proves nothing about records."""

import dns.flags
import dns.rrset

from scanner.dns_lookup import Resolver
from scanner.failures import Kind, ProbeFailure
from scanner.route import Question
from tests.scanner.dns_responder import responder, response_to


async def test_a_referral_of_a_server_that_does_not_recurse_is_no_absence():
    def refer(query: bytes) -> list[bytes]:
        response = response_to(query)
        response.flags &= ~dns.flags.RA
        response.authority = [dns.rrset.from_text("example.", 300, "IN", "NS", "ns.example.")]
        return [response.to_wire()]

    async with responder(refer) as server:
        answer = await Resolver([server]).look_up(Question("example.org", "MX"))
    assert isinstance(answer, ProbeFailure)
    assert answer.kind is Kind.BAD_ANSWER
    assert "referral" in answer.detail
