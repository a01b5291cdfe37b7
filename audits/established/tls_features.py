"""What a server's TLS does up to version 1.2: extensions, compression, and CBC as it protects it."""

from typing import Self

import msgspec

from audits.established.tls_asked import OLDER, asked_older_tls, open_suites
from audits.established.views import EndpointView, Inapplicable, Missing
from scanner.answers import Fact
from scanner.wire.registry import suite_code
from scanner.wire.weakness import classes_of
from scanner.wire_facts import TlsFacts


class OlderTlsFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """Features of the versions up to TLS 1.2, as `scanner.wire_facts.TlsFacts` defines them."""

    extended_master_secret: Fact = Fact.NOT_TESTED
    secure_renegotiation: Fact = Fact.NOT_TESTED
    compression: Fact = Fact.NOT_TESTED
    truncated_hmac: Fact = Fact.NOT_TESTED
    heartbeat: Fact = Fact.NOT_TESTED

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        return cls(**{name: getattr(tls, name) for name in cls.__struct_fields__})


class CbcProtection(msgspec.Struct, frozen=True):
    """The CBC suites that a server takes, and whether it protects them by encrypt-then-MAC (RFC 7366).

    `open` tells that some CBC suites were neither accepted nor refused.
    """

    suites: tuple[str, ...]
    encrypt_then_mac: Fact
    open: bool = False

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        offered = [version for version in tls.versions if version.version in OLDER]
        taken = dict.fromkeys(name for version in offered for name in version.suites if _is_cbc(name))
        unsettled = any(_is_cbc(name) for version in offered for name in open_suites(version))
        return cls(tuple(taken), tls.encrypt_then_mac, unsettled)


class ExportKeys(msgspec.Struct, frozen=True):
    """The temporary RSA key of export suites (FREAK, CVE-2015-0204): its bits; None where none was shown.

    `refused`: whether every export suite was refused.
    """

    bits: int | None
    refused: Fact

    @classmethod
    def of_endpoint(cls, view: EndpointView) -> Self | Missing | Inapplicable:
        tls = asked_older_tls(view)
        if not isinstance(tls, TlsFacts):
            return tls
        accepted = next((entry.accepted for entry in tls.classes if entry.name == "export"), Fact.NOT_TESTED)
        inverse = {Fact.YES: Fact.NO, Fact.NO: Fact.YES}
        return cls(tls.export_rsa_bits, inverse.get(accepted, accepted))


def _is_cbc(name: str) -> bool:
    code = suite_code(name)
    return code is not None and "cbc" in classes_of(code)
