"""The words of a log beside the facts."""

import pytest

from audits.simulate.log_check import Expected, LogVerdict
from audits.simulate.mail_log import Connection
from tests.audits.session_factory import MX, NO_TLS, Server
from tests.audits.simulate.scripted_world import server, simulated

MAY = "smtp_tls_security_level = may\n"
VERIFY = "smtp_tls_security_level = verify\n"
OLD = server(version="TLSv1.2")
"""Whether it takes anonymous suites is not known at depth policy."""


def verdict(host: Server, word: str, address: str = "192.0.2.1") -> LogVerdict:
    expected = Expected()
    expected.add(simulated(MAY, host), [simulated(VERIFY, host)])
    (check,) = expected.check([(Connection(MX, address, 25, word), 3)])
    assert check.connections == 3
    return check.verdict


@pytest.mark.parametrize(
    ("host", "word", "said"),
    [
        (server(), "Trusted", LogVerdict.CONFIRMED),
        (server(), "Verified", LogVerdict.OTHER_LEVEL),
        (server(), "Untrusted", LogVerdict.CONTRADICTED),
        (server(), "Anonymous", LogVerdict.CONTRADICTED),
        (OLD, "Anonymous", LogVerdict.OPEN),
        (NO_TLS, "Trusted", LogVerdict.CONTRADICTED),
    ],
)
def test_words(host: Server, word: str, said: LogVerdict) -> None:
    assert verdict(host, word) is said


def test_a_host_that_the_run_has_not() -> None:
    assert verdict(server(), "Trusted", "192.0.2.77") is LogVerdict.NOT_SEEN


def test_the_most_frequent_stand_first() -> None:
    expected = Expected()
    expected.add(simulated(MAY, server()))
    seen = [(Connection(MX, "192.0.2.1", 25, "Trusted"), 1), (Connection(MX, "192.0.2.1", 25, "Untrusted"), 9)]
    assert [check.connections for check in expected.check(seen)] == [9, 1]
