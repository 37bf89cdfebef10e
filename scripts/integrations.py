"""docs/integrations.md, written from the catalog and from what its tests talk to: `make docs`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bot.domain.integrations.definition import SourceDefinition
from app.bot.domain.integrations.mappings import IntegrationMetric
from app.bot.infrastructure.sources import source_types
from app.definitions.catalog import integrations
from app.shared.yaml import read_yaml
from tests.definitions.catalog import test_real_services

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "integrations.md"
SHAPES = ROOT / "tests" / "definitions" / "catalog" / "integrations"

_INTRODUCTION = """\
# Integrations

<!-- Written by `make docs` from app/definitions/catalog/integrations and the tests: change those, not this page. -->

What the bot can read. {builtin} types are built in; {declared} more are data, each a file of requests and mappings,
which a new version of the program renews, and which you may change in the web admin under *Data source types*.

To use one: in the web admin, *Data sources*, *Create*, choose the type, enter what it asks for, press *Test*. Enter
passwords and tokens under *Secrets* and write `${{secret:name}}` where they are asked for. Every type that is data also
has the settings of the connection: trusting your own certificate authority, not verifying at all, a proxy. More on the
types that are built in is in [data-source-types.md](data-source-types.md); a new one takes
[one file](add-a-data-source-type.md).

Each is tested: against the **real service** that runs beside the tests (`make test-services`), or against **recorded
answers** in the shape that the service documents. An integration that was only tested with recorded answers may meet a
version that answers otherwise; what it does not find is missing then, never wrong.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the whole page."""
    rows = integrations()
    parts = [
        _INTRODUCTION.format(builtin=len(source_types), declared=len(rows)),
        "## Built in\n\n" + table(("type", "what it reads"), builtin_rows()),
        "## As data\n\n" + table(("", "integration", "what it reads", "tested with"), overview(rows)),
        *(section(name, row) for name, row in sorted(rows.items(), key=lambda entry: title_of(entry[1]).lower())),
    ]
    return "\n".join(part.strip() + "\n" for part in parts)


def builtin_rows() -> Iterator[Sequence[str]]:
    """Yield a row for each builtin type: its name, and the first sentence of what it says of itself."""
    for name in sorted(source_types):
        yield f"`{name}`", (inspect.getdoc(source_types[name]) or "").partition("\n")[0]


def overview(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    """Yield a row for each integration, with a link to its section."""
    for name, row in sorted(rows.items(), key=lambda entry: title_of(entry[1]).lower()):
        icon = SourceDefinition.model_validate(row["definition"]).icon
        yield icon, f"[{title_of(row)}](#{name})", row["description"], tested_with(name)


def title_of(row: Mapping[str, Any]) -> str:
    """Return what people call it."""
    return str(row["title"])


def tested_with(name: str) -> str:
    """What the tests of an integration talk to, as the tests themselves tell."""
    real = ["the real service"] if hasattr(test_real_services, f"test_{name}") else []
    recorded = ["recorded answers"] if (SHAPES / f"{name}.yaml").exists() else []
    return " and ".join(real + recorded) or "nothing"


def section(name: str, row: Mapping[str, Any]) -> str:
    """All that there is to know of one integration."""
    definition = SourceDefinition.model_validate(row["definition"])
    lines = [f'<a id="{name}"></a>', "", f"## {definition.icon} {title_of(row)}", "", row["description"], ""]
    facts = [f"Type `{name}`", f"read every {definition.interval_seconds:g} s unless you choose otherwise"]
    if definition.website:
        facts.append(f"[website]({definition.website})")
    shape = SHAPES / f"{name}.yaml"
    tested = f"tested with {tested_with(name)}"
    if shape.exists():
        tested += f" ([shape]({read_yaml(shape.read_text(encoding='utf-8'), shape.name).data()['shape']}))"
    lines += ["; ".join([*facts, tested]) + ".", ""]
    settings = list(setting_rows(row["config_schema"]))
    if settings:
        lines += [table(("setting", "", "meaning"), settings), ""]
    if definition.metrics:
        lines += [table(("metric", "unit", "kind"), metric_rows(definition.metrics)), ""]
    for each in definition.items:
        columns = ", ".join(f"`{column}`" for column in (*each.fields, *each.expressions))
        lines.append(f"- Table `{each.name}`" + (f": {columns}" if columns else ""))
    return "\n".join(lines)


def setting_rows(schema: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """Yield a row for each parameter, in the order of the form."""
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    for name, each in sorted(properties.items(), key=lambda entry: entry[1].get("propertyOrder", 0)):
        needed = "needed" if name in schema.get("required", ()) else ""
        if not needed and each.get("default") not in (None, "", [], {}):
            needed = f"`{each['default']}`"
        meaning = " - ".join(str(each[key]) for key in ("title", "description") if each.get(key))
        yield f"`{name}`", needed, meaning


def metric_rows(metrics: Sequence[IntegrationMetric]) -> list[Sequence[str]]:
    """Return a row for each metric with its labels; several that differ only in a label's value are one."""
    rows = {}
    for metric in metrics:
        labels = ", ".join((*metric.label_paths, *metric.labels))
        name = f"`{metric.name}`" + (f" for each {labels}" if labels else "")
        rows[name] = (name, metric.unit, metric.kind.value)
    return list(rows.values())


def table(headings: Sequence[str], rows: Iterator[Sequence[str]] | list[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
