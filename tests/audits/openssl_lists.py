"""What OpenSSL makes of a cipher list: the installed one, and OpenSSL 1.0.2e, which still has the weak suites.

The old one comes inside nassl, the library of sslyze.
"""

import subprocess
from functools import cache

from nassl._nassl import OpenSSLError
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum

from scanner.wire.registry import suite_code, suite_name
from tests.audits.openssl_referee import require_openssl

EVERYTHING = "ALL:COMPLEMENTOFALL"


@cache
def installed(cipher_list: str) -> frozenset[str]:
    """IANA names; nothing where the list names nothing."""
    require_openssl()
    command = ["openssl", "ciphers", "-stdname", f"{cipher_list}:@SECLEVEL=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names = frozenset(line.split()[0] for line in done.stdout.splitlines())
    return names if done.returncode == 0 else frozenset()


@cache
def legacy(cipher_list: str) -> frozenset[str]:
    """The same of OpenSSL 1.0.2e, without the suites of SSL 2.0."""
    client = LegacySslClient(ssl_version=OpenSslVersionEnum.SSLV23, ssl_verify=OpenSslVerifyEnum.NONE)
    try:
        client.set_cipher_list(cipher_list)
    except OpenSSLError:
        return frozenset()
    codes = (suite_code(name) for name in client.get_cipher_list())
    return frozenset(suite_name(code) for code in codes if code is not None)


ORACLES = {"installed": installed, "1.0.2e": legacy}
