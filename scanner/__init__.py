"""Writes down what the wire said. Imports nothing of `audits`, and judges nothing."""

DISTRIBUTION = "tlsaudit"
