"""Postfix tables from stored runs: what was seen over several runs, the lines that follow from it, their text."""
