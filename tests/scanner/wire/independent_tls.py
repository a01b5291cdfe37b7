"""tlslite-ng, the independent TLS of these tests; on Python 3.11 its import warns of the old asyncore."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from tlslite import constants, extensions, messages, tlsconnection, x509, x509certchain
    from tlslite.utils import codec, keyfactory

__all__ = ["codec", "constants", "extensions", "keyfactory", "messages", "tlsconnection", "x509", "x509certchain"]
