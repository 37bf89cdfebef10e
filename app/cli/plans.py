"""How a plan looks in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from app.definitions.files.plan import Change, Plan, Verb
from app.logs import redact
from app.shared.differences import ABSENT, Difference

_MARKS = {Verb.ADD: ("+", "green"), Verb.CHANGE: ("~", "yellow"), Verb.REMOVE: ("-", "red")}
_DONE = {Verb.ADD: "added", Verb.CHANGE: "changed", Verb.REMOVE: "removed", Verb.SHIFT: "moved along"}
_PART_OF = {"components": "dashboards"}
_MOST_FIELDS = 12
_LONGEST_VALUE = 100


def print_plan(console: Console, plan: Plan, *, done: bool) -> None:
    """Print what changes (or has been changed) field by field, what could be pruned, and what is missing."""
    section = ""
    for change in plan.changes:
        if change.verb is Verb.SHIFT:
            continue
        shown = _PART_OF.get(change.section, change.section)
        if shown != section:
            section = shown
            console.print(Text(section, style="bold"))
        _print_change(console, change)
    if plan.prunable:
        console.print(Text("Not in the files; --prune would remove:", style="bold"))
        for change in plan.prunable:
            _print_line(console, "  - ", change.subject, "dim")
    for name in plan.missing_secrets:
        text = f"! The secret {name} is not there yet. Enter it in the web admin under Secrets."
        _print_line(console, "", text, "yellow")
    console.print(Text(summary(plan, done=done), style="bold"))


def summary(plan: Plan, *, done: bool) -> str:
    """Return the plan in one line."""
    if not plan.changes:
        return f"Nothing to change: {plan.unchanged} unchanged."
    counts = [f"{plan.count(verb)} {_DONE[verb]}" for verb in Verb if plan.count(verb)]
    told = ", ".join([*counts, f"{plan.unchanged} unchanged"])
    return f"Applied: {told}." if done else f"Plan: {told.replace('added', 'to add').replace('removed', 'to remove')}."


def _print_change(console: Console, change: Change) -> None:
    mark, style = _MARKS[change.verb]
    _print_line(console, f"  {mark} ", change.subject, style)
    for found in change.differences[:_MOST_FIELDS]:
        _print_line(console, "      ", _field(found), "")
    if len(change.differences) > _MOST_FIELDS:
        _print_line(console, "      ", f"… and {len(change.differences) - _MOST_FIELDS} more fields", "dim")


def _field(found: Difference) -> str:
    before, after = found.texts(_LONGEST_VALUE)
    return f"{found.path}: {after}" if found.before is ABSENT else f"{found.path}: {before} → {after}"


def _print_line(console: Console, indent: str, text: str, style: str) -> None:
    shown = "".join(letter if letter.isprintable() else "�" for letter in redact(text))
    console.print(Text(indent + shown, style=style), soft_wrap=True)
