"""Names of suites, taken apart."""

import pytest

from scanner.wire.suite_traits import Trait, suite_parts

ROWS = """
0xC02F TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    ECDHE RSA AES_128_GCM 128 AEAD : ecdhe gcm aead
0x0003 TLS_RSA_EXPORT_WITH_RC4_40_MD5
    RSA RSA RC4_40 40 MD5 : static-rsa export rc4 md5
0x0018 TLS_DH_anon_WITH_RC4_128_MD5
    DHE anon RC4_128 128 MD5 : dhe anonymous rc4 md5
0x000A TLS_RSA_WITH_3DES_EDE_CBC_SHA
    RSA RSA 3DES_EDE_CBC 112 SHA : static-rsa 3des cbc cbc-sha1
0x0009 TLS_RSA_WITH_DES_CBC_SHA
    RSA RSA DES_CBC 56 SHA : static-rsa des cbc cbc-sha1
0x0026 TLS_KRB5_EXPORT_WITH_DES_CBC_40_SHA
    KRB5 KRB5 DES_CBC_40 40 SHA : krb5 export des cbc cbc-sha1
0xC028 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384
    ECDHE RSA AES_256_CBC 256 SHA384 : ecdhe cbc
0xC0A2 TLS_DHE_RSA_WITH_AES_128_CCM_8
    DHE RSA AES_128_CCM_8 128 AEAD : dhe ccm ccm-8 aead
0xC01B TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA
    SRP RSA 3DES_EDE_CBC 112 SHA : srp 3des cbc cbc-sha1
0xC102 TLS_GOSTR341112_256_WITH_28147_CNT_IMIT
    GOST GOST 28147_CNT 256 IMIT : gost
0xC103 TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L
    any any KUZNYECHIK_MGM_L 256 AEAD : tls13 gost aead
0x1305 TLS_AES_128_CCM_8_SHA256
    any any AES_128_CCM_8 128 AEAD : tls13 ccm ccm-8 aead
0xC0B4 TLS_SHA256_SHA256
    any any SHA256 0 SHA256 : tls13 null
0xE011 TLS_ECDHE_SM4_CBC_SM3
    ECDHE SM2 SM4_CBC 128 SM3 : ecdhe sm cbc
0x5600 TLS_FALLBACK_SCSV
    - - - 0 - : signalling
"""
"""Code and name; key exchange, authentication, cipher, strength, MAC and traits."""


@pytest.mark.parametrize("row", ROWS.replace("\n    ", " ").strip().splitlines())
def test_parts(row):
    fields, _, traits = row.partition(" : ")
    code, name, *expected = fields.split()
    parts = suite_parts(int(code, 16), name)
    found = (parts.key_exchange, parts.authentication, parts.cipher, str(parts.bits), parts.mac)
    assert [part or "-" for part in found] == expected
    assert parts.traits == {Trait(word) for word in traits.split()}
