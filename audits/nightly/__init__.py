"""The nightly run: one file says what is scanned, judged, kept and told to whom."""
