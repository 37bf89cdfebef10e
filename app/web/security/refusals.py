"""Short answers to requests that are not served: plain text for people, problem details for scripts."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

API_PREFIX = "/api/"


def refusal(path: str, status: int, title: str, detail: str) -> Response:
    """Return the answer to a request for `path`."""
    if path.startswith(API_PREFIX):
        content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": []}
        return JSONResponse(content, status, media_type="application/problem+json")
    return PlainTextResponse(f"{title}. {detail}\n", status)
