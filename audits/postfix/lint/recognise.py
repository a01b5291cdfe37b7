"""Tells main.cf and the two kinds of TLS policy tables apart by what stands in them (postconf(5), TLS_README)."""

import posixpath

from audits.postfix.lint.words import Kind
from audits.postfix.main_cf import Setting, parsed_lines
from audits.postfix.tls_levels import per_site_value, tls_level


def recognised(text: str, path: str) -> Kind | None:
    """The kind of a file; None where nothing in it tells."""
    if posixpath.basename(path).startswith("main.cf"):
        return Kind.MAIN_CF
    lines = list(parsed_lines(text))
    settings = [parsed for _, parsed in lines if isinstance(parsed, Setting)]
    if settings and len(settings) * 2 > len(lines):
        return Kind.MAIN_CF
    words = [words[1] for line, _ in lines if len(words := line.text.split()) > 1]
    site = sum(word.isupper() and per_site_value(word) is not None for word in words)
    policy = sum(not word.isupper() and tls_level(word) is not None for word in words)
    site += sum(word.upper().startswith("MUST") and not word.isupper() for word in words)
    if site == policy:
        return None
    return Kind.PER_SITE if site > policy else Kind.POLICY_MAPS
