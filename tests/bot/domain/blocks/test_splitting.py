"""Whatever a dashboard shows becomes messages that Discord takes, in order, with nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bot.domain.blocks.block import (
    Block,
    Button,
    Buttons,
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
from app.bot.domain.blocks.limits import MAX_CHARACTERS, MAX_FILE_BYTES, MAX_FILES, exceeds
from app.bot.domain.blocks.splitting import Frame, split
from app.bot.domain.charts.chart import Picture
from app.bot.infrastructure.discord.blocks import to_layout
from tests.support.rendering import NOW

FOOTER: tuple[Block, ...] = (Separator(line=False), Stamp("Last change", NOW))
ALL = 1_000
"""More messages than anything here needs."""


def picture(number: int, size: int = 1) -> Image:
    return Image.of(Picture(f"digest{number}", b"x" * size), f"picture {number}")


WORDS = st.sampled_from(["word", "\n", "\n\n", "- item", "```\n", "\n```", "\\*", "# Head", "x" * 50, " ", "é"])
TEXTS = st.one_of(
    st.text(max_size=30),
    st.integers(0, 9_000).map(lambda size: "x" * size),
    st.integers(0, 900).map(lambda count: "some words\n" * count),
    st.lists(WORDS, max_size=40).map(" ".join),
    st.tuples(st.lists(WORDS, max_size=12), st.integers(1, 60)).map(lambda pair: "".join(pair[0]) * pair[1]),
)
IMAGES = st.one_of(st.just(Image("https://x.org/a.png")), st.integers(0, 30).map(picture))
BUTTON = Button("A", custom_id="a")
LEAVES: st.SearchStrategy[Block] = st.one_of(
    TEXTS.map(Text),
    st.integers(1, 5).map(lambda count: Buttons((BUTTON,) * count)),
    st.just(Select("s", (Option("o", "o"),))),
    st.lists(IMAGES, min_size=1, max_size=25).map(lambda images: Gallery(tuple(images))),
    st.builds(
        Section,
        st.lists(TEXTS.map(Text), min_size=1, max_size=3).map(tuple),
        st.one_of(st.just(BUTTON), IMAGES),
    ),
    st.just(Separator()),
    st.builds(Problem, st.text(max_size=200), st.text(max_size=500)),
    st.builds(Stamp, TEXTS, st.just(NOW)),
)


def containers(children: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    return st.builds(Container, st.lists(children, max_size=45).map(tuple), st.sampled_from([None, 0xFF0000]))


BLOCKS = st.lists(st.recursive(LEAVES, containers, max_leaves=60), max_size=40)
FRAMES = st.sampled_from([None, Frame(), Frame(0x00FF00)])
FOOTERS = st.sampled_from([(), FOOTER])
THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def leaves(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Container):
            yield from leaves(block.children)
        else:
            yield block


def contents(blocks: Iterable[Block]) -> Iterator[Any]:
    """What is seen, in order, however texts are cut and galleries divided; spaces and code marks apart."""
    for block in leaves(blocks):
        match block:
            case Text():
                yield from re.sub(r"[\s`]", "", block.text)
            case Gallery():
                yield from block.images
            case Separator():
                pass
            case Section():
                yield from (text.text[:10] for text in block.texts)
            case Stamp():
                yield block.label[:10]
            case _:
                yield block


def assert_valid(messages: Sequence[tuple[Block, ...]]) -> None:
    assert messages
    for message in messages:
        assert message
        assert not exceeds(View(message))
        layout = to_layout(View(message), 7)
        assert layout.total_children_count <= 40
        assert layout.content_length() <= MAX_CHARACTERS
        for block in message:
            assert not isinstance(block, Container) or (
                block.children and not any(isinstance(child, Container) for child in block.children)
            )


@given(BLOCKS, FRAMES, FOOTERS)
@THOROUGH
def test_any_blocks_become_valid_messages_with_nothing_lost_and_in_order(
    blocks: list[Block], frame: Frame | None, footer: tuple[Block, ...]
) -> None:
    messages = split(blocks, ALL, frame=frame, footer=footer)
    assert_valid(messages)
    seen = [item for message in messages for item in contents(message)]
    wanted = list(contents((*blocks, *footer)))
    assert "".join(map(_plain, seen)) == "".join(map(_plain, wanted))


def _plain(item: Any) -> str:
    return item if isinstance(item, str) else repr(item)


@given(BLOCKS, FRAMES, FOOTERS, st.integers(1, 5))
@THOROUGH
def test_no_more_messages_than_allowed(
    blocks: list[Block], frame: Frame | None, footer: tuple[Block, ...], most: int
) -> None:
    messages = split(blocks, most, frame=frame, footer=footer)
    assert_valid(messages)
    assert len(messages) <= most
    if len(split(blocks, ALL, frame=frame, footer=footer)) > most:
        texts = [block.text for block in leaves(messages[-1]) if isinstance(block, Text)]
        assert "do not fit into" in texts[-1]


@given(BLOCKS, FRAMES, FOOTERS)
@THOROUGH
def test_the_footer_stands_at_the_end_of_the_last_message_alone(
    blocks: list[Block], frame: Frame | None, footer: tuple[Block, ...]
) -> None:
    blocks = [block for block in blocks if FOOTER[1] not in leaves([block])]
    *others, last = split(blocks, ALL, frame=frame, footer=footer)
    assert not footer or list(leaves(last))[-2:] == list(FOOTER)
    assert not any(block is FOOTER[1] for message in others for block in leaves(message))


@given(BLOCKS)
@THOROUGH
def test_what_was_split_is_not_split_again(blocks: list[Block]) -> None:
    for message in split(blocks, ALL):
        assert split(message, ALL) == (message,)


def texts(*sizes: int) -> list[Block]:
    return [Text("x" * size) for size in sizes]


def sizes(messages: Sequence[tuple[Block, ...]]) -> list[list[int]]:
    return [[len(block.text) for block in leaves(message) if isinstance(block, Text)] for message in messages]


def test_what_fits_one_message_is_one_message_as_it_is() -> None:
    blocks: list[Block] = [Text("a"), Container((Text("b"), Separator()), 5), Separator(), Text("")]
    assert split(blocks, 5) == (tuple(blocks),)
    assert split(blocks, 5, footer=FOOTER) == ((*blocks, *FOOTER),)
    framed = Container((Text("a"), Text("b"), Separator(), Separator(), Text(""), *FOOTER), 7)
    assert split(blocks, 5, frame=Frame(7), footer=FOOTER) == ((framed,),)


def test_forty_components_fit_one_message() -> None:
    assert len(split(texts(*[1] * 40), 5)) == 1
    assert len(split(texts(*[1] * 39), 5, frame=Frame())) == 1
    assert len(split(texts(*[1] * 37), 5, frame=Frame(), footer=FOOTER)) == 1
    assert sizes(split(texts(*[1] * 41), 5)) == [[1] * 40, [1]]


def test_messages_break_between_texts() -> None:
    assert sizes(split(texts(2_000, 1_500, 1_000, 3_000), 5)) == [[2_000, 1_500], [1_000, 3_000]]


def test_a_text_of_more_than_a_message_fills_what_is_left_and_goes_on() -> None:
    lines = Text("\n".join(["x" * 99] * 60))
    first, second = split([Text("y" * 1_000), lines], 5)
    assert sizes([first, second]) == [[1_000, 2_999], [2_999]]


def test_a_container_too_large_becomes_several_of_the_same_colour() -> None:
    large = Container(tuple(texts(*[1] * 50)), 0xABCDEF)
    first, second = split([Text("a"), large, Text("b")], 5)
    assert [type(block) for block in first] == [Text, Container]
    assert [type(block) for block in second] == [Container, Text]
    assert [block.accent for block in (first[1], second[0]) if isinstance(block, Container)] == [0xABCDEF] * 2
    assert sizes([first, second]) == [[1] * 39, [1] * 13]


def test_a_container_that_fits_a_message_stays_whole() -> None:
    whole = Container(tuple(texts(*[1] * 30)))
    assert split([*texts(*[1] * 20), whole], 5) == (tuple(texts(*[1] * 20)), (whole,))


def test_containers_in_containers_become_one() -> None:
    assert split([Container((Text("a"), Container((Text("b"),), 5)), 7)], 5) == (
        (Container((Text("a"), Text("b")), 7),),
    )


def test_a_gallery_of_more_pictures_than_a_message_has_files_is_divided() -> None:
    gallery = Gallery(tuple(picture(number) for number in range(23)))
    messages = split([gallery], 5)
    assert [len(block.images) for (block,) in messages if isinstance(block, Gallery)] == [MAX_FILES, MAX_FILES, 3]


def test_pictures_of_all_blocks_count_as_files() -> None:
    blocks = [Section((Text("a"),), picture(number)) for number in range(9)]
    assert [len(message) for message in split([*blocks, Gallery((picture(20), picture(21)))], 5)] == [9, 1]


@pytest.mark.parametrize("most", [1, 5])
def test_a_picture_larger_than_discord_takes_is_a_problem(most: int) -> None:
    large = picture(1, MAX_FILE_BYTES + 1)
    ((gallery, problem),) = split([Gallery((picture(2), large))], most)
    assert gallery == Gallery((picture(2),))
    assert isinstance(problem, Problem)
    ((text, problem),) = split([Section((Text("a"),), large)], most)
    assert text == Text("a")
    assert isinstance(problem, Problem)


def test_no_message_begins_or_ends_with_empty_space() -> None:
    assert split([*texts(3_000), Separator(), *texts(3_000)], 5) == (tuple(texts(3_000)), tuple(texts(3_000)))


def test_the_footer_does_not_stand_alone() -> None:
    assert sizes(split(texts(1_000, 2_990), 5, footer=FOOTER)) == [[1_000], [2_990]]


def test_what_is_left_out_is_counted_and_said() -> None:
    ((*kept, notice),) = split(texts(*[1] * 60), 1)
    assert notice == Text(f"-# {60 - len(kept)} more parts do not fit into one message. Spread them over pages.")
    messages = split(texts(*[3_000] * 9), 2, footer=FOOTER)
    assert len(messages) == 2
    assert messages[1][1] == Text("-# 7 more parts do not fit into 2 messages. Spread them over pages.")
    assert messages[1][2:] == FOOTER


def test_nothing_at_all_is_still_a_message() -> None:
    assert_valid(split([Container(())], 5))
