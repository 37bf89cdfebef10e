from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.bot.domain.blocks.block import (
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Container,
    Gallery,
    Image,
    Option,
    Problem,
    Section,
    Select,
    Separator,
    Stamp,
    Text,
    View,
)
from app.bot.infrastructure.discord.blocks import to_layout

EVERY_BLOCK: dict[str, Block] = {
    "text": Text("Load"),
    "buttons": Buttons((Button("Refresh", "hl:1:refresh:"),)),
    "select": Select("hl:1:page:", (Option("One", "one"),)),
    "gallery": Gallery((Image("https://example.com/a.png"),)),
    "section": Section((Text("Load"),), Image("https://example.com/a.png")),
    "separator": Separator(),
    "problem": Problem("CPU", "no such metric"),
    "stamp": Stamp("Last change", datetime(2026, 1, 1, tzinfo=UTC)),
    "container": Container((Text("Load"),), 0x23A55A),
}


def drawn(*blocks: Block, marker: int | None = None) -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = to_layout(View(blocks), marker).to_components()
    return components


def button(**fields: Any) -> dict[str, Any]:
    ((row,),) = (drawn(Buttons((Button(**{"label": "Go", "custom_id": "hl:1:refresh:", **fields}),))),)
    found: dict[str, Any] = row["components"][0]
    return found


@pytest.mark.parametrize("name", EVERY_BLOCK)
def test_the_marker_is_the_id_of_the_first_component_whatever_that_is(name: str) -> None:
    first, second = drawn(EVERY_BLOCK[name], Text("after"), marker=42)
    assert first["id"] == 42
    assert "id" not in second


def test_without_a_marker_discord_numbers_the_components() -> None:
    assert "id" not in drawn(Text("Load"))[0]


def test_a_layout_never_times_out() -> None:
    assert to_layout(View((Text("Load"),))).timeout is None


def test_a_container_frames_its_children_in_its_colour() -> None:
    (frame,) = drawn(Container((Text("a"), Separator(line=False, large=True)), 0xF23F43))
    assert frame["accent_color"] == 0xF23F43
    assert [(child["type"], child.get("content")) for child in frame["components"]] == [(10, "a"), (14, None)]
    assert (frame["components"][1]["divider"], frame["components"][1]["spacing"]) == (False, 2)


def test_problems_and_stamps_read_as_the_limits_count_them() -> None:
    problem, stamp = drawn(EVERY_BLOCK["problem"], EVERY_BLOCK["stamp"])
    assert problem["content"] == "⚠️ **CPU**\n-# no such metric"
    assert stamp["content"] == "-# Last change <t:1767225600:R>"


def test_a_click_carries_its_custom_id_and_a_link_its_address() -> None:
    assert button(style=ButtonStyle.DANGER, disabled=True) == {
        "type": 2,
        "style": 4,
        "label": "Go",
        "custom_id": "hl:1:refresh:",
        "disabled": True,
    }
    link = button(custom_id=None, url="https://example.com")
    assert (link["style"], link["url"], link.get("custom_id")) == (5, "https://example.com", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("🔥", ("🔥", None)),
        ("1️⃣", ("1️⃣", None)),
        ("<:disk:123456789012345678>", ("disk", 123456789012345678)),
        ("<a:spin:123456789012345678>", ("spin", 123456789012345678)),
        ("fire", None),
        (":fire:", None),
        ("", None),
    ],
)
def test_an_emoji_is_unicode_or_custom_and_a_word_is_left_out(
    text: str, expected: tuple[str, int | None] | None
) -> None:
    emoji = button(emoji=text).get("emoji")
    assert (emoji and (emoji["name"], emoji["id"] and int(emoji["id"]))) == expected


def test_a_select_stands_alone_in_its_row() -> None:
    options = (Option("One", "one", selected=True), Option("Two", "two", description="the second", emoji="🔥"))
    (row,) = drawn(Select("hl:3:page:", options, placeholder="Choose"))
    (select,) = row["components"]
    assert (select["custom_id"], select["placeholder"]) == ("hl:3:page:", "Choose")
    assert [(option["value"], option["default"]) for option in select["options"]] == [("one", True), ("two", False)]
    assert select["options"][1]["description"] == "the second"


def test_a_section_has_its_accessory() -> None:
    (with_button,) = drawn(Section((Text("a"), Text("b")), Button("Open", url="https://example.com")))
    assert [text["content"] for text in with_button["components"]] == ["a", "b"]
    assert with_button["accessory"]["url"] == "https://example.com"
    (with_image,) = drawn(Section((Text("a"),), Image("https://example.com/a.png", "A rack")))
    assert with_image["accessory"]["media"]["url"] == "https://example.com/a.png"
    assert with_image["accessory"]["description"] == "A rack"


def test_what_is_too_long_is_cut_so_that_the_rest_is_shown() -> None:
    assert len(button(label="x" * 200)["label"]) == 80
    (row,) = drawn(Select("hl:1:page:", (Option("x" * 200, "v", description="y" * 200),), placeholder="z" * 200))
    select = row["components"][0]
    assert (len(select["placeholder"]), len(select["options"][0]["label"])) == (150, 100)
    assert len(select["options"][0]["description"]) == 100
    assert len(drawn(Text("x" * 5_000))[0]["content"]) == 4_000


def test_nothing_is_sent_empty() -> None:
    assert drawn(Text(""))[0]["content"]
    assert button(label="")["label"]
    assert button(label="", emoji="🔥").get("label") is None


def test_more_components_than_a_message_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="40"):
        to_layout(View(tuple(Text(str(number)) for number in range(41))))
