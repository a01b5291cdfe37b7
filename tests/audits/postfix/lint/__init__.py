"""Tests of audits.postfix.lint."""
