"""Decides what the facts of `scanner` mean, and shows it. Judgement needs no network."""

DISTRIBUTION = "tlsaudit"
