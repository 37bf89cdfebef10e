"""Who did what: what /audit shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.bot.application.rendering.answers import card
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.audit_trail import PAGE_SIZE, AuditFilter, AuditLine
from app.bot.domain.blocks.block import Block, Separator, Text, View
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.formatting.units import format_value
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import AUDIT_VIEW, require
from app.bot.domain.readings.items import plain_text
from app.bot.domain.repositories import AuditTrailRepository

_MARKS = {"done": "✅", "allowed": "✅", "failed": "❌", "refused": "⛔", "timed_out": "⌛", "lost": "❔"}
_VALUE_CHARACTERS, _RESULT_CHARACTERS = 60, 150


class AuditTrail:
    """Shows the audit log of one server to who may see it."""

    def __init__(self, definitions: DefinitionCache, trail: AuditTrailRepository) -> None:
        self._definitions = definitions
        self._trail = trail

    async def show(self, actor: Actor, wanted: AuditFilter) -> View:
        """Return a page of what was done. Raises PermissionRefusedError or StorageUnavailableError."""
        require(self._definitions.grants, actor, AUDIT_VIEW)
        found = await self._trail.find(wanted, PAGE_SIZE + 1)
        blocks: list[Block] = [Text("### 📜 Who did what")]
        for line in found[:PAGE_SIZE]:
            blocks += [Separator(), Text(self._line(line))]
        if not found:
            blocks += [
                Separator(),
                Text("Nothing was found." if wanted.page == 1 else "There is nothing further back."),
            ]
        if len(found) > PAGE_SIZE:
            blocks += [Separator(), Text(f"-# There is more: add the option page:{wanted.page + 1}")]
        return card(blocks)

    def _line(self, line: AuditLine) -> str:
        known = self._definitions.actions.get(line.target)
        target = known.label if known is not None and line.action == "action.run" else line.target
        what = escape_markdown(target) if line.action == "action.run" else escape_markdown(f"{line.action} {target}")
        who = f"<@{line.user_id}>" if line.user_id.isdecimal() else escape_markdown(line.user_name or "someone")
        where = f" in <#{line.channel_id}>" if line.channel_id else ""
        took = f" · {format_value(line.duration_seconds, 'seconds')}" if line.duration_seconds is not None else ""
        mark = _MARKS.get(line.outcome, "▫️")
        first = f"{mark} **{what}** · {who}{where} · <t:{int(line.at.timestamp())}:R> · {line.outcome}{took}"
        details = [_parameters(line.parameters), escape_markdown(shorten(one_line(line.result), _RESULT_CHARACTERS))]
        return "\n".join([first, *(f"-# {detail}" for detail in details if detail)])


def _parameters(values: Mapping[str, Any]) -> str:
    shown = (f"{name}: {shorten(one_line(plain_text(value)), _VALUE_CHARACTERS)}" for name, value in values.items())
    return escape_markdown(", ".join(shown))
