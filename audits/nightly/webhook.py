"""Tells the news to a program: one POST of JSON by HTTPS; no redirect is followed."""

import http.client
import ssl
import urllib.request
from typing import Any

from audits.nightly.config import Calling, Night
from audits.nightly.news import News, TellError, as_json

TIMEOUT_S = 60


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect of a POST would lose its body or tell it to somebody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def call(news: News, calling: Calling, night: Night) -> None:
    """Posts it; `TellError` unless the answer is 2xx."""
    headers = {"Content-Type": "application/json", "User-Agent": "tlsaudit"}
    try:
        if calling.token_file:
            token = night.path(calling.token_file).read_text("utf-8").strip()
            headers["Authorization"] = f"Bearer {token}"
        context = ssl.create_default_context(cafile=str(night.path(calling.cafile)) if calling.cafile else None)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect)
        request = urllib.request.Request(calling.url, as_json(news), headers, method="POST")
        with opener.open(request, timeout=TIMEOUT_S):
            pass
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise TellError(f"webhook {calling.url}: {error}") from None
