"""Discord's Markdown as HTML: a safe subset, where nothing that a text says can become an element of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_TIMESTAMP = re.compile(r"<t:(-?\d{1,13})(?::([tTdDfFR]))?>")
_MENTION = re.compile(r"<(@&|@!?|#)(\d{15,20})>")
_EMOJI = re.compile(r"<a?:([A-Za-z0-9_]{2,32}):\d{15,20}>")
_PLAIN = re.compile(r"[^\n!-/:-@\[-`{-~]+")
_SCHEMES = ("http", "https")
_FORMATS = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d/%m/%Y",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
}
_STEPS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def to_html(text: str, now: datetime | None = None) -> Markup:
    """Return the text as HTML that is safe to put into a page."""
    return Markup(_PARSER.render(text, {"now": now or datetime.now(UTC)}))  # noqa: S704  # rendered with html off


def relative_time(at: datetime, now: datetime) -> str:
    """Return a moment as Discord says it, such as “3 minutes ago” or “in 2 days”."""
    seconds = int((now - at).total_seconds())
    size, name = next(((size, name) for size, name in _STEPS if abs(seconds) >= size), (1, "second"))
    count = abs(seconds) // size
    words = f"{count} {name}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def _small_print(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """`-# text`: a line of small print."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    line = state.src[start : state.eMarks[start_line]]
    if not line.startswith("-# "):
        return False
    if silent:
        return True
    state.line = start_line + 1
    token = state.push("small_open", "div", 1)
    token.attrs = {"class": "dc-subtext"}
    token.map = [start_line, state.line]
    inline = state.push("inline", "", 0)
    inline.content = line[3:].strip()
    inline.map = [start_line, state.line]
    inline.children = []
    state.push("small_close", "div", -1)
    return True


def _angled(state: StateInline, silent: bool) -> bool:
    """Timestamps, mentions and custom emoji, all written in angle brackets."""
    if state.src[state.pos] != "<":
        return False
    for pattern, kind in ((_TIMESTAMP, "timestamp"), (_MENTION, "mention"), (_EMOJI, "emoji")):
        match = pattern.match(state.src, state.pos)
        if match is not None:
            if not silent:
                state.push(kind, "", 0).meta = {"match": match}
            state.pos = match.end()
            return True
    return False


def _plain_text(state: StateInline, silent: bool) -> bool:
    """Return what stands between marks; markdown-it's own rule does not stop at the bars of spoilers."""
    match = _PLAIN.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.pending += match[0]
    state.pos = match.end()
    return True


def _paired(marker: str, tag: str, css_class: str = "") -> object:
    """Return a rule for text between two markers, such as ||spoiler||."""

    def rule(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith(marker, state.pos):
            return False
        end = state.src.find(marker, state.pos + len(marker))
        if end <= state.pos + len(marker) or end >= state.posMax:
            return False
        if not silent:
            opening = state.push("pair_open", tag, 1)
            if css_class:
                opening.attrs = {"class": css_class, "tabindex": "0"}
            outer_end = state.posMax
            state.pos, state.posMax = state.pos + len(marker), end
            state.md.inline.tokenize(state)
            state.posMax = outer_end
            state.push("pair_close", tag, -1)
        state.pos = end + len(marker)
        return True

    return rule


def _timestamp(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    match = tokens[index].meta["match"]
    try:
        at = datetime.fromtimestamp(int(match[1]), UTC)
    except (OverflowError, ValueError, OSError):
        return escapeHtml(match[0])
    style = match[2] or "f"
    shown = relative_time(at, env["now"]) if style == "R" else at.strftime(_FORMATS[style])
    title = at.strftime("%A, %d %B %Y %H:%M:%S UTC")
    return f'<time class="dc-time" datetime="{at.isoformat()}" title="{title}">{escape(shown)}</time>'


def _mention(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    match = tokens[index].meta["match"]
    name = {"#": "#channel", "@&": "@role"}.get(match[1], "@user")
    return f'<span class="dc-mention" title="{match[2]}">{name}</span>'


def _emoji(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="dc-emoji">:{escape(tokens[index].meta["match"][1])}:</span>'


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    href = str(tokens[index].attrs.get("href", ""))
    return f'<a href="{escape(href)}" rel="noopener noreferrer nofollow" target="_blank">'


def _valid_link(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in _SCHEMES
    except ValueError:
        return False


class _DiscordMarkdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # markdown-it's own name
        return _valid_link(url)


def _make_parser() -> MarkdownIt:
    parser = _DiscordMarkdown("commonmark", {"html": False, "linkify": False, "breaks": True})
    parser.disable(["image", "html_block", "html_inline", "reference", "hr", "lheading", "code", "entity"])
    parser.enable("strikethrough")
    parser.inline.ruler.at("text", _plain_text)
    parser.block.ruler.before("list", "small_print", _small_print, {"alt": ["paragraph", "blockquote", "list"]})
    parser.inline.ruler.before("autolink", "angled", _angled)
    parser.inline.ruler.before("emphasis", "underline", _paired("__", "u"))  # type: ignore[arg-type]  # a rule
    parser.inline.ruler.before("emphasis", "spoiler", _paired("||", "span", "dc-spoiler"))  # type: ignore[arg-type]  # a rule
    for name, rule in {
        "timestamp": _timestamp,
        "mention": _mention,
        "emoji": _emoji,
        "link_open": _link_open,
    }.items():
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _make_parser()
