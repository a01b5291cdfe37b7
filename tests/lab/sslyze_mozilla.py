"""What sslyze's own checker says of a server under Mozilla's intermediate profile: 5.7, which it ships, and 6.0.

Runs as a child process: `python sslyze_mozilla.py HOST ADDRESS`; prints {"5.7": [...], "6.0": [...]}, the names of what
it objects to. Only what the profile itself says is asked, and none of the vulnerabilities.
"""

import json
import subprocess
import sys

LIMIT_S = 200.0
OBJECTIONS = ("tls_versions", "ciphers", "ciphersuites", "tls_curves")


def sslyze_objections(host: str, address: str) -> dict[str, list[str]]:
    """Version of the guideline -> what sslyze objects to."""
    command = [sys.executable, "-P", __file__, host, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _main(host: str, address: str) -> None:
    from sslyze import (
        ProtocolWithOpportunisticTlsEnum,
        Scanner,
        ServerNetworkConfiguration,
        ServerNetworkLocation,
        ServerScanRequest,
    )
    from sslyze.mozilla_tls_profile.tls_config_checker import (
        SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
        MozillaTlsConfiguration,
        ServerNotCompliantWithTlsConfiguration,
        TlsConfigurationEnum,
        check_server_against_tls_configuration,
    )

    smtp = ServerNetworkConfiguration(host, ProtocolWithOpportunisticTlsEnum.SMTP, network_timeout=20)
    scan = ServerScanRequest(
        ServerNetworkLocation(host, 25, address), smtp, scan_commands=SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER
    )
    scanner = Scanner(per_server_concurrent_connections_limit=2, concurrent_server_scans_limit=1)
    scanner.queue_scans([scan])
    (result,) = scanner.get_results()
    shipped = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
    without_dhe = {name for name in shipped.ciphers.iana if not name.startswith("TLS_DHE_")}
    newer = shipped.model_copy(
        update={
            "ciphers": shipped.ciphers.model_copy(update={"iana": without_dhe}),
            "tls_curves": {*shipped.tls_curves, "X25519MLKEM768"},
        }
    )
    said = {}
    for version, profile in (("5.7", shipped), ("6.0", newer)):
        try:
            check_server_against_tls_configuration(result, profile)
            said[version] = []
        except ServerNotCompliantWithTlsConfiguration as objection:
            said[version] = sorted(objection.issues)
    print(json.dumps(said))


if __name__ == "__main__":
    _main(*sys.argv[1:])
