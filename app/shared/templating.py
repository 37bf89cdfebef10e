"""Jinja2 templates of users: an immutable sandbox with limits on time, work and size.

Nothing that a template does can change a value, reach into Python, or keep the program busy: loops, calls, filters and
operators are counted while they run (see template_budget), so no thread is needed to stop them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from traceback import walk_tb
from types import MethodType
from typing import Any

from jinja2 import TemplateSyntaxError, nodes, pass_context
from jinja2.environment import Template
from jinja2.exceptions import TemplateAssertionError
from jinja2.runtime import Context, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from app.shared.template_budget import CALL_WEIGHT, Budget, TemplateError, TemplateLimitError, TemplateLimits
from app.shared.template_builtins import builtin_filters
from app.shared.template_guards import Guards, forbidden_statement

__all__ = ["SandboxedTemplates", "TemplateError", "TemplateLimitError", "TemplateLimits"]

_budget: ContextVar[Budget] = ContextVar("template_budget")
_LONGEST_RANGE = 10_000
_MENTIONED_NAMES = 15
_TEXT_METHODS = frozenset({
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "isnumeric",
    "islower", "isspace", "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind",
    "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper",
})  # fmt: skip
_DICT_ATTRIBUTES = frozenset(dir(dict))
_TIME_METHODS = frozenset({
    "astimezone", "date", "day", "days", "hour", "isoformat", "isoweekday", "microsecond", "minute", "month", "second",
    "seconds", "time", "timestamp", "total_seconds", "tzinfo", "weekday", "year",
})  # fmt: skip


class SandboxedTemplates:
    """Renders templates. Compiled ones are kept, the least recently used are dropped.

    `filters` are added to the builtin ones and may replace them. `finalize` turns every printed value into text (there
    escaping belongs); text that a macro or a block printed is not finalized twice. `clock` tells the computing time.
    """

    def __init__(
        self,
        filters: Mapping[str, Callable[..., Any]],
        finalize: Callable[[Any], str] = str,
        limits: TemplateLimits | None = None,
        cache_size: int = 1_024,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._limits = limits or TemplateLimits()
        self._clock = clock
        self._environment = _Environment(filters, finalize)
        self._compiled = functools.lru_cache(maxsize=cache_size)(self._compile)

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Return the text that the template prints.

        Raises TemplateError, and TemplateLimitError when a limit is reached.
        """
        if len(template) > self._limits.source:
            raise TemplateLimitError(f"the template is longer than {self._limits.source:,} characters; shorten it")
        if "{" not in template:
            return self._within_output([template])
        token = _budget.set(Budget(self._limits, self._clock, values.keys()))
        try:
            return self._run(template, values)
        except TemplateSyntaxError as error:
            raise TemplateError(f"line {error.lineno}: {self._explained(error)}") from error
        except Exception as error:
            kind = TemplateLimitError if isinstance(error, (TemplateLimitError, RecursionError)) else TemplateError
            raise kind(f"line {_line_of(error)}: {_reason(error)}") from error
        finally:
            _budget.reset(token)

    def check(self, template: str) -> None:
        """Raise TemplateError for a template that cannot be compiled, whatever the values are."""
        if len(template) > self._limits.source:
            raise TemplateLimitError(f"the template is longer than {self._limits.source:,} characters; shorten it")
        compiled = self._compiled(template) if "{" in template else None
        if isinstance(compiled, TemplateSyntaxError):
            raise TemplateError(f"line {compiled.lineno}: {self._explained(compiled)}")

    def _within_output(self, parts: Any) -> str:
        kept: list[str] = []
        size = 0
        for part in parts:
            size += len(part)
            if size > self._limits.output:
                raise TemplateLimitError(
                    f"the template prints more than {self._limits.output:,} characters. "
                    "Print less, for example with the filter truncate"
                )
            kept.append(part)
        return "".join(kept)

    def _run(self, template: str, values: Mapping[str, Any]) -> str:
        compiled = self._compiled(template)
        if isinstance(compiled, TemplateSyntaxError):
            raise compiled.with_traceback(None)
        try:
            return self._within_output(self._environment.pieces(compiled, values))
        except Exception:  # noqa: BLE001  # raised again, with the template's lines in its traceback
            self._environment.handle_exception()

    def _compile(self, template: str) -> Template | TemplateSyntaxError:
        """Return the compiled template, or what is wrong with it: a broken one is compiled once only."""
        try:
            return self._environment.from_string(template)
        except TemplateSyntaxError as error:
            return error

    def _explained(self, error: TemplateSyntaxError) -> str:
        message = error.message or "the template is wrong"
        if isinstance(error, TemplateAssertionError) and message.startswith("No filter named"):
            known = ", ".join(sorted(name for name in self._environment.filters if name.isidentifier()))
            return f"{message} Filters: {known}"
        return message


class _HelpfulUndefined(StrictUndefined):
    """Says what there is instead of what was asked for."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            known = sorted(_budget.get().names)
            return f"“{self._undefined_name}” is not known. Known: {_some(known)}"
        if self._undefined_obj is None:
            return f"there is no “{self._undefined_name}” in a missing value; give it one with the filter default"
        kind = type(self._undefined_obj).__name__
        if isinstance(self._undefined_obj, Mapping):
            return (
                f"there is no “{self._undefined_name}” here. There is: {_some(sorted(map(str, self._undefined_obj)))}"
            )
        return f"a {kind} has no “{self._undefined_name}”"


class _Printed(str):
    """What a macro or a block printed: it went through finalize piece by piece already."""

    __slots__ = ()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, with everything that can grow or repeat counted against the budget."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, filters: Mapping[str, Callable[..., Any]], finalize: Callable[[Any], str]) -> None:
        # A finalize that takes the context keeps Jinja2 from printing constants when it compiles, without a budget.
        super().__init__(
            undefined=_HelpfulUndefined,
            finalize=pass_context(lambda _, value: _print(value, finalize)),
            optimized=False,
            autoescape=False,
            cache_size=0,
        )
        self.concat = _concat  # type: ignore[method-assign]  # the code of every template calls this
        own = {name: _guarded(function, keeps_missing=False) for name, function in filters.items()}
        builtin = {
            name: _guarded(function, keeps_missing=name not in ("default", "d"))
            for name, function in builtin_filters(_budget.get).items()
        }
        self.filters = builtin | own | Guards.filters(_budget.get, finalize)
        self.globals = {"range": _range, "dict": _dict, "namespace": _Namespace}

    def pieces(self, template: Template, values: Mapping[str, Any]) -> Iterator[str]:
        """Return what the template prints, piece by piece.

        Like `Template.generate`, without its chain of global names, which costs more than a short template itself.
        """
        return template.root_render_func(Context(self, {**self.globals, **values}, None, {}))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        forbidden_statement(template)
        guarded: nodes.Template = Guards().visit(template)
        guarded.set_environment(self)
        return guarded

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of the values, a macro or a method: counted, and its result too.

        Jinja2 looks for marks on what it calls (unsafe, or what to pass it): a method without any is called at once.
        """
        budget = _budget.get()
        budget.step(CALL_WEIGHT)
        plain = not kwargs and type(called) is MethodType and not called.__func__.__dict__
        result = called(*args) if plain else super().call(context, called, *args, **kwargs)
        return result if isinstance(result, _Printed) else budget.made(result)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or else an entry, as the sandbox allows it; an entry of a plain dictionary at once."""
        if type(obj) is dict and attribute in obj and attribute not in _DICT_ATTRIBUTES:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate; with a missing value, or divided by nothing, the result is missing too."""
        budget = _budget.get()
        budget.step()
        if left is None or right is None:
            return None
        if operator == "%" and isinstance(left, (str, bytes)):
            raise TemplateError("use the filter format instead of %, such as “%.1f”|format(value)")
        budget.check_operation(operator, left, right)
        try:
            return budget.made(super().call_binop(context, operator, left, right))
        except ZeroDivisionError:
            return None

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Return the number with its sign; missing stays missing."""
        return None if arg is None else super().call_unop(context, operator, arg)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Text and times have only those methods that cannot be made to produce something huge."""
        if isinstance(obj, str):
            return attr in _TEXT_METHODS
        if isinstance(obj, (bytes, bytearray, int, float, complex)):
            return False
        if isinstance(obj, (date, datetime, time_of_day, timedelta)):
            return attr in _TIME_METHODS
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Return what stands for a forbidden attribute: using it raises an error that names it."""
        hint = f"“{attribute}” of a {type(obj).__name__} is not available in templates"
        return self.undefined(hint, obj=obj, name=attribute)

    def wrap_str_format(self, value: Any) -> None:
        """No str.format: `is_safe_attribute` refuses it like any method that is not on the list."""
        return


def _guarded(function: Callable[..., Any], keeps_missing: bool) -> Callable[..., Any]:
    """Return a filter that counts; the marks by which Jinja2 knows what to pass it are kept."""
    passes_context = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        budget = _budget.get()
        budget.step(CALL_WEIGHT)
        if keeps_missing and args[passes_context] is None:
            return None
        return budget.made(function(*args, **kwargs))

    return guarded


def _print(value: Any, finalize: Callable[[Any], str]) -> str:
    if isinstance(value, _Printed):
        return value
    if callable(value) and not isinstance(value, Undefined):
        name = getattr(value, "__name__", "this")
        raise TemplateError(f"“{name}” is a function; call it with ( ), or write ['{name}'] for a value of that name")
    return finalize(value)


def _concat(parts: Any) -> str:
    """Join what a macro, a block or a whole template printed."""
    texts = list(parts)
    _budget.get().charge(sum(map(len, texts)))
    return _Printed("".join(texts))


class _Namespace(Namespace):
    """A namespace that prints as a word: what namespaces hold of each other is never written out."""

    def __repr__(self) -> str:
        return "namespace"


def _dict(*args: Any, **kwargs: Any) -> Any:
    return _budget.get().held(dict(*args, **kwargs))


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if not -_LONGEST_RANGE <= numbers.start <= numbers.stop <= _LONGEST_RANGE and _too_long(numbers):
        raise TemplateLimitError(f"a range has at most {_LONGEST_RANGE:,} numbers; use a shorter one")
    return numbers


def _too_long(numbers: range) -> bool:
    try:
        return len(numbers) > _LONGEST_RANGE
    except OverflowError:
        return True


def _line_of(error: BaseException) -> int:
    """Return the template's line in which an error was raised; Jinja2 puts its lines into the traceback."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == "<template>"]
    return lines[-1] if lines else 1


def _reason(error: Exception) -> str:
    if isinstance(error, (RecursionError, MemoryError)):
        return "the template is nested too deeply, or a macro calls itself without end"
    if isinstance(error, OverflowError):
        return "a number became too large"
    return str(error) or type(error).__name__


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MENTIONED_NAMES} more" if len(names) > _MENTIONED_NAMES else ""
    return (", ".join(names[:_MENTIONED_NAMES]) or "nothing") + more
