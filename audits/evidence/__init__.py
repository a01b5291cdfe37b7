"""The evidence pack: what a run rests on, in plain files that can be checked and judged again."""
