"""Facts of the wire are values that survive JSON."""

import msgspec

from scanner.answers import Fact
from scanner.failures import Kind, ProbeFailure, Stage
from scanner.wire_facts import ChainFacts, ClassFacts, DhFacts, Preference, TlsFacts, VersionFacts

FACTS = TlsFacts(
    versions=(
        VersionFacts(version="TLSv1.3", offered=Fact.NO, evidence="alert protocol_version"),
        VersionFacts(
            version="TLSv1.2",
            offered=Fact.YES,
            suites=("TLS_RSA_WITH_AES_128_CBC_SHA",),
            unsettled=(0xC02F,),
            preference=Preference.SERVER,
        ),
    ),
    classes=(ClassFacts("static-rsa", Fact.YES),),
    chains=(ChainFacts("RSA", ("ab" * 32,), stapled=True),),
    dh=(DhFacts(2048, "ffdhe2048", "cd" * 32, 2, True, ("TLSv1.2",), "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),),
    failures=(ProbeFailure(Stage.HANDSHAKE, Kind.TIMEOUT),),
    connections=7,
)


def test_round_trip():
    assert msgspec.json.decode(msgspec.json.encode(FACTS), type=TlsFacts) == FACTS


def test_versions_are_found_by_name():
    assert FACTS.version("TLSv1.2") is FACTS.versions[1]
    assert FACTS.version("SSLv2") is None


def test_nothing_is_claimed_by_default():
    empty = TlsFacts(versions=())
    answers = [getattr(empty, field) for field in empty.__struct_fields__]
    assert {answer for answer in answers if isinstance(answer, Fact)} == {Fact.NOT_TESTED}
    assert not empty.complete
