"""Changes to a parsed template that make what it does countable, and forgiving towards missing values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from app.shared.template_budget import Budget

# Names with a space cannot be written in a template, so only the transformed tree uses these filters.
_COUNTED = "loop over"
_COMPARED = "compare with"
_JOINED = "join to"
_MADE = "made of"
_HELD = "held by"
_ORDERING = frozenset({"lt", "lteq", "gt", "gteq"})
_FORBIDDEN: tuple[tuple[type[nodes.Node], str], ...] = (
    (nodes.Include, "include"),
    (nodes.Import, "import"),
    (nodes.FromImport, "from"),
    (nodes.Extends, "extends"),
    (nodes.Block, "block"),
)


class Guards(NodeTransformer):
    """Wraps what loops go over, what is compared, and what `~` joins."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  # the name that jinja2's visitor calls
        """Count the turns."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        node.iter = _filtered(node.iter, _COUNTED)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        """Return false: a missing value is neither above nor below anything."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        if all(operand.op in _ORDERING for operand in node.ops):
            node.expr = _filtered(node.expr, _COMPARED)
            for operand in node.ops:
                operand.expr = _filtered(operand.expr, _COMPARED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        """Count the characters that are joined."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        node.nodes = [_filtered(part, _JOINED) for part in node.nodes]
        return _filtered(node, _MADE)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
        """Count what a slice copies."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        return _filtered(node, _MADE) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        """Count what a list holds."""
        return _filtered(self.generic_visit(node), _HELD)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        """Count what a dictionary holds."""
        return _filtered(self.generic_visit(node), _HELD)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        """Count what a tuple holds; one that names the targets of an assignment holds nothing."""
        self.generic_visit(node)
        return _filtered(node, _HELD) if node.ctx == "load" else node

    @staticmethod
    def filters(budget: Callable[[], Budget], finalize: Callable[[Any], str]) -> dict[str, Callable[..., Any]]:
        """Return the filters that the changed templates call."""
        return {
            _COUNTED: lambda values: budget().counted(values),
            _COMPARED: lambda value: math.nan if value is None else value,
            _JOINED: lambda value: str(finalize(None)) if value is None else value,
            _HELD: lambda value: budget().held(value),
            _MADE: lambda value: budget().made(value),
        }


def forbidden_statement(template: nodes.Template) -> None:
    """Raise TemplateSyntaxError for what has no place in a template of one message."""
    for kind, name in _FORBIDDEN:
        for node in template.find_all(kind):
            raise TemplateSyntaxError(f"“{name}” is not available here; a template stands alone", node.lineno)
    for loop in template.find_all(nodes.For):
        if loop.recursive:
            raise TemplateSyntaxError("recursive loops are not available; use a macro", loop.lineno)


def _filtered(node: nodes.Node, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
