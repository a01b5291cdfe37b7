"""The options of `tlsaudit trace`: they are those of the scan, and mean the same."""

import pytest
from click.testing import CliRunner

from audits.scan_command import scan
from audits.trace_command import trace


def test_the_network_options_are_those_of_the_scan():
    known = {param.name: param for param in scan.params}
    shared = [param for param in trace.params if param.name not in ("host", "loglevel")]
    assert {"resolvers", "ehlo", "envelope", "allow_private", "only_v4", "only_v6", "interval"} == {
        p.name for p in shared
    }
    for param in shared:
        assert (param.opts, param.default, param.help) == tuple(
            getattr(known[param.name], field) for field in ("opts", "default", "help")
        )


@pytest.mark.parametrize(
    "arguments",
    [[], ["--loglevel", "5", "mx.example"], ["--ehlo", "a b", "mx.example"], ["mx.example", "mx2.example"]],
)
def test_wrong_use_is_exit_2(arguments):
    done = CliRunner().invoke(trace, arguments)
    assert (done.exit_code, done.stdout) == (2, "")


def test_help_tells_of_the_levels():
    shown = CliRunner().invoke(trace, ["--help"]).stdout
    assert "--loglevel" in shown
    assert "0 nothing" in shown
