"""Tests that mirror audits/diff."""
