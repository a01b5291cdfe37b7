"""Benchmarks of the whole command; `make bench` runs them."""
