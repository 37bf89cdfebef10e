"""The headers that make browsers enforce what the pages promise: no inline script, no frames, no foreign code."""

from __future__ import annotations

from collections.abc import Iterator

_ALWAYS = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


def content_security_policy(nonce: str) -> str:
    """Scripts and style sheets of this server only, inline ones with this response's nonce.

    Style attributes are allowed, for the table pages and the form editor set widths with them; they run no code.
    Images may come from any https address, for dashboards show such images.
    """
    return "; ".join((
        "default-src 'none'",
        f"script-src 'self' 'nonce-{nonce}'",
        f"style-src 'self' 'nonce-{nonce}'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: https:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


def security_headers(nonce: str, *, secure: bool, cacheable: bool) -> Iterator[tuple[str, str]]:
    """Yield the headers of one response."""
    yield "content-security-policy", content_security_policy(nonce)
    yield from _ALWAYS
    if secure:
        yield "strict-transport-security", "max-age=31536000"
    if not cacheable:
        yield "cache-control", "no-store"
