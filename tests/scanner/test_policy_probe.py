"""Fetching obeys the rules of the scan: addresses that may not be contacted, and the port."""

import errno
from datetime import UTC, datetime

import pytest
import trio

from scanner.facts import AddressRecord, DnsAnswer, Dnssec, DnsStatus, MailRoute, MxHost, RouteStatus, Target, TxtRecord
from scanner.failures import Kind
from scanner.policy_facts import MtaStsFacts
from scanner.policy_probe import PolicyProbe
from scanner.route import Answers, Question
from scanner.settings import ScanSettings
from scanner.tcp import TcpSocket

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOST = "mta-sts.example.org"
RECORDS = {
    Question("_mta-sts.example.org", "TXT"): (TxtRecord("v=STSv1; id=1"),),
    Question(HOST, "A"): (AddressRecord("192.0.2.1"), AddressRecord("192.0.2.2")),
}


class Doors:
    """Answers and connections by hand, and what was tried."""

    def __init__(self, forbidden: tuple[str, ...] = ()) -> None:
        self.forbidden = forbidden
        self.tried: list[tuple[str, int]] = []
        self.names: list[tuple[str, ...]] = []

    async def answer(self, questions: tuple[Question, ...]) -> Answers:
        await trio.lowlevel.checkpoint()
        return {
            q: DnsAnswer(q.name, q.rdtype, DnsStatus.RECORDS if q in RECORDS else DnsStatus.NODATA, RECORDS.get(q, ()))
            for q in questions
        }

    def obstacle(self, names: tuple[str, ...], address: str) -> Kind | None:
        self.names.append(names)
        return Kind.ADDRESS_NOT_PUBLIC if address in self.forbidden else None

    async def connect(self, address: str, port: int) -> TcpSocket:
        await trio.lowlevel.checkpoint()
        self.tried.append((address, port))
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    async def sts(self, **choices: int) -> MtaStsFacts:
        probe = PolicyProbe(
            settings=ScanSettings(ports=(25,), **choices),
            answer=self.answer,
            obstacle=self.obstacle,
            connect=self.connect,
            now=lambda: NOW,
        )
        host = MxHost("mx.example.org", 10, ("192.0.2.3",), dnssec=Dnssec.INSECURE)
        facts = await probe.facts(Target("example.org", "example.org"), MailRoute(RouteStatus.MX, (host,)))
        assert facts.mta_sts
        return facts.mta_sts


@pytest.mark.parametrize("port", [443, 8443])
async def test_each_allowed_address_is_tried_on_the_port(port):
    doors = Doors(("192.0.2.1",))
    sts = await doors.sts(policy_port=port)
    assert doors.tried == [("192.0.2.2", port)]
    assert set(doors.names) == {(HOST,)}
    assert sts.fetch
    assert sts.fetch.failure
    assert (sts.fetch.failure.kind, sts.fetch.fetched_at, sts.policy) == (Kind.REFUSED, NOW, None)


async def test_no_allowed_address_means_no_connection():
    doors = Doors(("192.0.2.1", "192.0.2.2"))
    sts = await doors.sts()
    assert doors.tried == []
    assert sts.fetch
    assert sts.fetch.failure
    assert sts.fetch.failure.kind is Kind.ADDRESS_NOT_PUBLIC
