"""Tests of the scripts in data/."""
