"""match= against the names of a certificate, as the reference has them."""

import pytest

from audits.postfix.lint.cert_match import matches

HOP, HOST = "example.org", "mx.example.net"


@pytest.mark.parametrize(
    ("patterns", "names", "matched"),
    [
        (["hostname"], ["mx.example.net"], True),
        (["HOSTNAME"], ["MX.example.NET"], True),
        (["hostname"], ["*.example.net"], True),
        (["hostname"], ["*.net"], False),
        (["hostname"], ["example.org"], False),
        (["nexthop"], ["example.org"], True),
        (["nexthop"], ["mx.example.org"], False),
        (["dot-nexthop"], ["mx.example.org"], True),
        (["dot-nexthop"], ["a.b.example.org"], True),
        (["dot-nexthop"], ["*.example.org"], True),
        (["dot-nexthop"], ["example.org"], False),
        ([".example.org"], ["notexample.org"], False),
        (["a.test", "b.test"], ["x.test", "b.test"], True),
        (["a.test"], ["*.test"], True),
        (["test"], ["*."], False),
        (["a.test"], [], False),
    ],
)
def test_matches(patterns, names, matched):
    assert matches(patterns, HOP, HOST, names) is matched
