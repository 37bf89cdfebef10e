"""The sandbox: what it prints, what it forgives, what it forbids, and that nothing in it runs away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.shared.templating import SandboxedTemplates, TemplateError, TemplateLimitError, TemplateLimits


def finalize(value: object) -> str:
    return "nothing" if value is None else str(value).replace("*", r"\*")


def render(template: str, limits: TemplateLimits | None = None, **values: Any) -> str:
    clock = ticking(0)
    return SandboxedTemplates({"twice": lambda value: value * 2}, finalize, limits, clock=clock).render(
        template, values
    )


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that moves on by that many seconds whenever it is read."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += seconds
        return now

    return clock


ROWS = [{"name": "a*", "size": 3}, {"name": "b", "size": None}, {"name": "c", "size": 4}]


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("plain *text*", "plain *text*"),
        ("*{{ rows[0].name }}*", r"*a\**"),
        ("{{ 4|twice }}", "8"),
        (
            "{% for x in rows %}{{ loop.index }}/{{ loop.length }} {{ x.name }}{{ ', ' if not loop.last }}{% endfor %}",
            r"1/3 a\*, 2/3 b, 3/3 c",
        ),
        ("{% for key, value in rows[2].items() %}{{ key }}={{ value }} {% endfor %}", "name=c size=4 "),
        ("{{ rows|selectattr('size')|map(attribute='name')|join('+') }}", r"a\*+c"),
        ("{{ rows|sum('size') }} {{ rows[:1]|length }} {{ 'abc'[1:] }}", "7 1 bc"),
        ("{% set box = namespace(n=0) %}{% for row in rows %}{% set box.n = box.n + 1 %}{% endfor %}{{ box.n }}", "3"),
        ("{{ '%.2f %5d'|format(3.14159, 12345678) }} {{ 7.456|round(1) }} {{ '9'|int }}", "3.14 12345678 7.5 9"),
        ("{{ 'Hello'.lower() }} {{ 'a-b'.split('-')|last }} {{ 'x'|upper|center(5) }}", "hello b   X  "),
        ("{{ rows|map(attribute='name')|list|length }} {{ (1, 2)|join('/') }} {{ 1 in [1, 2] }}", "3 1/2 True"),
    ],
)
def test_usual_templates(template: str, shown: str) -> None:
    assert render(template, rows=ROWS) == shown


def test_what_a_macro_or_a_block_printed_is_not_escaped_again() -> None:
    assert render("{% macro bold(x) %}**{{ x }}**{% endmacro %}{{ bold('a*') }} {{ bold(bold(1)) }}") == (
        r"**a\*** ****1****"
    )
    assert render("{% set line %}*{{ '*' }}*{% endset %}{{ line }}") == r"*\**"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ gone }}", "nothing"),
        (
            "{{ gone * 2 + 1 }} {{ 1 - gone }} {{ -gone }} {{ 5 / 0 }} {{ 5 % 0 }}",
            "nothing nothing nothing nothing nothing",
        ),
        ("{{ 'yes' if gone > 5 else 'no' }} {{ 'yes' if gone <= 5 else 'no' }} {{ gone == none }}", "no no True"),
        ("{{ gone|upper }} {{ gone|round(1) }} {{ gone|int }} {{ 'abc'|float }}", "nothing nothing nothing nothing"),
        ("{{ gone|default('-') }} {{ unknown|default('-') }} {{ 0|default('-') }}", "- - 0"),
        ("{{ 'a' ~ gone ~ 1 }}", "anothing1"),
        ("{% for x in gone %}x{% else %}none{% endfor %}", "none"),
        ("{{ rows|map(attribute='size')|select('none')|list|length }} {{ [gone, gone]|sum }}", "1 nothing"),
        ("{{ unknown is defined }} {{ 'x' if unknown is defined and unknown.y }}", "False "),
    ],
)
def test_a_missing_value_stays_missing(template: str, shown: str) -> None:
    assert render(template, gone=None, rows=ROWS) == shown


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("one\ntwo {{ dashbord }}", "line 2: “dashbord” is not known. Known: dashboard, rows"),
        ("{{ dashboard.tem }}", "line 1: there is no “tem” here. There is: name, team"),
        ("{{ none.x }}", "line 1: there is no “x” in a missing value"),
        ("{{ 1|colour }}", r"line 1: No filter named 'colour'\. Filters: abs, "),
        ("\n\n{% if %}", "line 3: Expected an expression"),
        ("{{ 'a' + 1 }}", "line 1: can only concatenate str"),
        ("{{ rows[0].items }}", "“items” is a function; call it with"),
        ("{% for x in 5 %}{% endfor %}", "line 1: 'int' object is not iterable"),
        ("{{ fail() }}", "line 1: the fridge is open"),
        ("{{ '%d' % 3 }}", "use the filter format"),
        ("{{ ['a']|sum }}", "sum adds numbers only"),
        ("{{ 1.0 * 10.0 ** 400 }}", "a number became too large"),
    ],
)
def test_errors_say_where_and_what(template: str, message: str) -> None:
    def fail() -> None:
        raise RuntimeError("the fridge is open")

    with pytest.raises(TemplateError, match=message):
        SandboxedTemplates({}).render(
            template,
            {"dashboard": {"name": "Lab", "team": "x"}, "rows": ROWS} | ({"fail": fail} if "fail" in template else {}),
        )


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ rows.__class__.__mro__ }}",
        "{{ function.__globals__ }}",
        "{{ function.__code__ }}",
        "{{ rows.append(1) }}",
        "{{ rows[0].update(name='x') }}",
        "{{ rows[0].pop('name') }}",
        "{% set rows.x = 1 %}",
        "{{ rows|attr('__class__') }}",
        "{{ rows|map(attribute='__class__')|first ~ '' }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{x}'.format_map({}) }}",
        "{{ (1).to_bytes(9, 'big') }}",
        "{{ 'a'.encode() }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% for x in rows recursive %}{{ loop(rows) }}{% endfor %}",
        "{{ lipsum() }}",
        "{{ (lambda: 1)() }}",
    ],
)
def test_nothing_can_be_changed_or_reached(template: str) -> None:
    rows = [dict(row) for row in ROWS]
    with pytest.raises(TemplateError):
        render(template, rows=rows, function=lambda: 1)
    assert rows == ROWS


DOUBLED = "{% set x = [1] %}" + "{% set x = [x, x] %}" * 60
RUNAWAYS = [
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '%.999999999f'|format(1.0) }}",
    "{{ '%*d'|format(999999999, 1) }}",
    "{{ 'a'|center(999999999) }}",
    "{{ 'a\nb'|indent(999999999) }}",
    "{{ 'a'|indent(width=999999999) }}",
    "{{ 1.5|round(10**9) }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ range(10**12)|list }}",
    "{{ range(10**30)|list }}",
    "{{ range(9999)|map('string')|map('center', 900)|list|length }}",
    "{{ range(9999)|join('x' * 1000)|length }}",
    "{{ ('a' * 1000)|replace('a', 'b' * 1000)|length }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}xxxxxxxxxx{% endfor %}",
    "{% set x %}{% for a in range(9999) %}" + "x" * 200 + "{% endfor %}{% endset %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% else %}"
    + "x" * 99
    + "{% endif %}{% endmacro %}{{ f(20) }}",
    "{% set box = namespace(x='aa') %}{% for i in range(99) %}{% set box.x = box.x ~ box.x %}{% endfor %}",
    "{% set box = namespace(x='aa') %}{% for i in range(99) %}{% set box.x = box.x + box.x %}{% endfor %}",
    "{% set box = namespace(x=99) %}{% for i in range(99) %}{% set box.x = box.x * box.x %}{% endfor %}",
    "{% set box = namespace(x=[1]) %}{% for i in range(99) %}{% set box.x = [box.x, box.x] %}{% endfor %}{{ box.x }}",
    DOUBLED + "{{ x }}",
    DOUBLED.replace("[x, x]", "(x, x)") + "{{ x == x }}",
    DOUBLED.replace("[x, x]", "{1: x, 2: x}") + "{{ x|string }}",
    DOUBLED.replace("[x, x]", "dict(a=x, b=x)") + "{{ x }}",
    "{% set a = [0] * 9999 %}{{ ([none] * 9999)|map('default', a)|list }}",
    "{% set a = [0] * 150000 %}{{ [" + "a[:]," * 99 + "]|length }}",
    "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "{{ " + "1+" * 4000 + "1 }}",
    "x" * 4_001,
    "{{ 1 }}" * 1_500,
]


@pytest.mark.parametrize("template", RUNAWAYS, ids=[str(number) for number in range(len(RUNAWAYS))])
def test_runaways_end_with_a_named_limit(template: str) -> None:
    with pytest.raises(TemplateLimitError):
        render(template)


def test_computing_time_is_limited_in_loops_and_in_filters() -> None:
    slow = SandboxedTemplates({}, clock=ticking(0.01))
    with pytest.raises(TemplateLimitError, match=r"more than 20 ms of computing time\. Do less"):
        slow.render("{% for i in range(999) %}{% endfor %}", {})
    with pytest.raises(TemplateLimitError, match="computing time"):
        slow.render("{{ [3, 1]" + "|sort" * 20 + " }}", {})
    assert slow.render("{{ [3, 1]|sort }}", {}) == "[1, 3]"


@pytest.mark.parametrize(
    ("limits", "template", "remedy"),
    [
        (TemplateLimits(steps=10), "{% for i in range(11) %}{% endfor %}", "more than 10 steps. Shorten its loops"),
        (TemplateLimits(output=10), "{{ 'x' * 11 }}", "prints more than 10 characters. Print less"),
        (TemplateLimits(made=10), "{{ ('x' * 11)|length }}", "makes more than 10 characters"),
        (TemplateLimits(source=10), "{# comment #}", "longer than 10 characters; shorten it"),
    ],
)
def test_each_limit_says_what_to_do(limits: TemplateLimits, template: str, remedy: str) -> None:
    with pytest.raises(TemplateLimitError, match=remedy):
        render(template, limits)


def test_limits_count_for_each_rendering_anew() -> None:
    templates = SandboxedTemplates({}, limits=TemplateLimits(steps=15), clock=ticking(0))
    assert [templates.render("{% for i in range(9) %}x{% endfor %}", {}) for _ in range(3)] == ["x" * 9] * 3


def test_compiled_templates_are_kept_and_the_oldest_dropped() -> None:
    templates = SandboxedTemplates({}, cache_size=2)
    compiled = templates._compiled
    for template in ("{{ 1 }}", "{{ 1 }}", "{{ 2 }}", "{{ 3 }}", "{{ 1 }}"):
        templates.render(template, {})
    assert (compiled.cache_info().hits, compiled.cache_info().misses, compiled.cache_info().currsize) == (1, 4, 2)


def test_a_template_that_does_not_compile_is_not_compiled_again() -> None:
    templates = SandboxedTemplates({})
    for _ in range(3):
        with pytest.raises(TemplateError, match=r"^line 1: unexpected 'end of template'$"):
            templates.render("{{ ", {})
    assert (templates._compiled.cache_info().hits, templates._compiled.cache_info().misses) == (2, 1)
