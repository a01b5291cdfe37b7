"""Reads Postfix configuration as Postfix reads it, and says which TLS level it enforces (postconf(5), TLS_README)."""
