"""The curve of the key in a certificate, found by its algorithm identifier (RFC 5480 section 2.1.1), without parsing.

A plan needs it for one thing: an ECDSA suite is refused where its certificate's curve is not among the groups of the
hello (RFC 8422 section 5.1), so that curve must stay in it. A wrong guess costs a connection, never a fact.
"""

_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_CURVES = {
    bytes.fromhex("06082a8648ce3d030107"): 23,
    bytes.fromhex("06052b81040022"): 24,
    bytes.fromhex("06052b81040023"): 25,
    bytes.fromhex("06052b8104000a"): 22,
    bytes.fromhex("06052b81040021"): 21,
    bytes.fromhex("06092b2403030208010107"): 26,
    bytes.fromhex("06092b240303020801010b"): 27,
    bytes.fromhex("06092b240303020801010d"): 28,
}


def leaf_curve(der: bytes) -> int | None:
    """The TLS group of the certificate's key; None for other keys and other curves."""
    at = der.find(_EC_PUBLIC_KEY)
    if at < 0:
        return None
    parameters = der[at + len(_EC_PUBLIC_KEY) : at + len(_EC_PUBLIC_KEY) + 16]
    return next((group for oid, group in _CURVES.items() if parameters.startswith(oid)), None)
