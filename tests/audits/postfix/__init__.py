"""Tests of audits.postfix, most of them against the installed Postfix as the oracle."""
