"""Whose word on DNSSEC counts (scanner/dns_lookup.py): a validating, a lying and a plain resolver, local and not."""

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import pytest

from scanner.dns_lookup import DnssecTrust, Resolver, ValidationCheck, is_local, trusted_for_dnssec
from scanner.facts import DnsAnswer, Dnssec, DnsStatus, Lookup
from scanner.failures import Kind, ProbeFailure
from scanner.route import Question
from tests.scanner.dns_responder import responder, response_to

GOOD, BAD = "good.example", "bad.example"
SIGNATURE = "{} 60 IN RRSIG A 13 2 60 20300102030405 20200101000000 1 example. AAAA"


def validator(ad: bool = True, refuses: bool = True) -> Callable[[bytes], list[bytes]]:
    """A resolver's answers: AD on everything signed; SERVFAIL for what is signed badly, unless CD says not to check."""

    def respond(wire: bytes) -> list[bytes]:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True)
        checks = not query.flags & dns.flags.CD
        if name == "broken.example" or (name == BAD and checks and refuses):
            return [response_to(wire, rcode=dns.rcode.SERVFAIL).to_wire()]
        signed = [SIGNATURE.format(f"{name}.")] if query.ednsflags & dns.flags.DO and name == GOOD else []
        response = response_to(wire, f"{name}. 60 IN A 192.0.2.1", *signed)
        if ad and checks and name == GOOD:
            response.flags |= dns.flags.AD
        return [response.to_wire()]

    return respond


async def ask(name: str, respond: Callable[[bytes], list[bytes]], trusted: bool = True) -> tuple[Lookup, list[bool]]:
    checks: list[ValidationCheck] = []
    async with responder(respond) as address:
        trust = DnssecTrust((address,) if trusted else (), GOOD, BAD)
        resolver = Resolver((address,), trust, checks.append)
        answer = await resolver.look_up(Question(name, "A"))
        again = await resolver.look_up(Question(name, "A"))
    assert again == answer
    return answer, [check.validates for check in checks]


async def test_secure_with_the_end_of_its_signature():
    answer, checks = await ask(GOOD, validator())
    assert isinstance(answer, DnsAnswer)
    assert answer.dnssec is Dnssec.SECURE
    assert answer.signed_until is not None
    assert answer.signed_until.year == 2030
    assert checks == [True]


async def test_insecure():
    answer, _ = await ask("plain.example", validator())
    assert isinstance(answer, DnsAnswer)
    assert (answer.dnssec, answer.signed_until) == (Dnssec.INSECURE, None)


async def test_bogus_is_told_apart_from_servfail():
    bogus, _ = await ask(BAD, validator())
    broken, _ = await ask("broken.example", validator())
    assert isinstance(bogus, ProbeFailure)
    assert isinstance(broken, ProbeFailure)
    assert (bogus.kind, broken.kind) == (Kind.BOGUS, Kind.SERVFAIL)


@pytest.mark.parametrize("respond", [validator(ad=False), validator(refuses=False), validator(ad=False, refuses=False)])
async def test_a_resolver_that_does_not_validate_leaves_everything_open(respond):
    answer, checks = await ask(GOOD, respond)
    assert isinstance(answer, DnsAnswer)
    assert (answer.status, answer.dnssec) == (DnsStatus.RECORDS, Dnssec.INDETERMINATE)
    assert checks == [False]


async def test_nobody_asks_a_resolver_that_is_not_trusted_whether_it_validates():
    answer, checks = await ask(GOOD, validator(), trusted=False)
    assert isinstance(answer, DnsAnswer)
    assert answer.dnssec is Dnssec.INDETERMINATE
    assert checks == []


@pytest.mark.parametrize(
    ("resolver", "local"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53:5353", True),
        ("[::1]:53", True),
        ("192.0.2.53", False),
        ("[2001:db8::53]", False),
    ],
)
def test_only_resolvers_on_this_machine_are_trusted_unless_named(resolver, local):
    assert is_local(resolver) is local
    assert bool(trusted_for_dnssec([resolver], named=False, canaries=(GOOD, BAD)).resolvers) is local
    assert trusted_for_dnssec([resolver], named=True, canaries=(GOOD, BAD)).resolvers == (resolver,)


async def test_a_cname_question_gives_its_target():
    async with responder(lambda wire: [response_to(wire, "a.example. 60 IN CNAME b.example.").to_wire()]) as address:
        answer = await Resolver((address,)).look_up(Question("a.example", "CNAME"))
    assert isinstance(answer, DnsAnswer)
    assert (answer.status, answer.aliases) == (DnsStatus.RECORDS, ("b.example",))


def once(bad: bytes, name: str = "") -> Callable[[bytes], list[bytes]]:
    """A validator whose first answer for this name is something else."""
    told: list[bytes] = []

    def respond(wire: bytes) -> list[bytes]:
        if not told and dns.message.from_wire(wire).question[0].name.to_text(omit_final_dot=True) == name:
            told.append(wire)
            return [bad or response_to(wire, rcode=dns.rcode.SERVFAIL).to_wire()]
        return validator()(wire)

    return respond


async def test_a_failure_that_passes_is_not_bogus():
    """The same question is answered a moment later: for its own sake, not because nobody checks."""
    answer, checks = await ask("plain.example", once(b"", "plain.example"))
    assert isinstance(answer, DnsAnswer)
    assert answer.dnssec is Dnssec.INSECURE
    assert checks == [True]


@pytest.mark.parametrize("name", [GOOD, BAD])
async def test_one_lost_answer_does_not_make_a_resolver_one_that_does_not_validate(name):
    answer, checks = await ask("plain.example", once(b"no answer", name))
    assert isinstance(answer, DnsAnswer)
    assert answer.dnssec is Dnssec.INSECURE
    assert checks == [True]


@pytest.mark.parametrize(("name", "words"), [(GOOD, "it does not answer for"), (BAD, "it says nothing of")])
async def test_a_resolver_that_is_silent_about_a_canary_is_told_for_what_it_is(name, words):
    def respond(wire: bytes) -> list[bytes]:
        asked = dns.message.from_wire(wire).question[0].name.to_text(omit_final_dot=True)
        return [b"no answer"] if asked == name else validator()(wire)

    checks: list[ValidationCheck] = []
    async with responder(respond) as address:
        await Resolver((address,), DnssecTrust((address,), GOOD, BAD), checks.append).look_up(
            Question("a.example", "A")
        )
    assert [(check.validates, check.why.startswith(f"{words} {name}")) for check in checks] == [(False, True)]


async def test_an_old_signature_beside_a_valid_one_ends_nothing():
    """As when the key is changed: one valid signature is enough (RFC 4035 section 5.3.3)."""

    def respond(wire: bytes) -> list[bytes]:
        (plain,) = validator()(wire)
        response = dns.message.from_wire(plain)
        name = response.question[0].name
        if name.to_text(omit_final_dot=True) == GOOD:
            old = SIGNATURE.format(f"{name}").replace("20300102030405", "20210102030405")
            new = SIGNATURE.format(f"{name}")
            response.answer = [response.answer[0], *response_to(wire, old).answer]
            response.answer[1].add(response_to(wire, new).answer[0][0])
        return [response.to_wire()]

    answer, checks = await ask(GOOD, respond)
    assert checks == [True]
    assert isinstance(answer, DnsAnswer)
    assert answer.signed_until is not None
    assert answer.signed_until.year == 2030
