"""JSON as text that is safe to look at: what a terminal would obey or hide stands there as an escape (RFC 8259, 7)."""

import json


def json_text(encoded: bytes) -> str:
    """UTF-8 JSON with every character that cannot be seen written as \\uXXXX: C1 controls, direction marks, the like.

    Such characters stand within strings only, so the value stays the same. C0 controls the encoder has escaped.
    """
    text = encoded.decode()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
