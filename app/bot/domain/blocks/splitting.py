"""Splitting what a dashboard shows over several messages in order, where one cannot hold it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.bot.domain.blocks.block import (
    Block,
    Buttons,
    Container,
    Gallery,
    Image,
    Problem,
    Section,
    Select,
    Separator,
    Stamp,
    Text,
)
from app.bot.domain.blocks.cutting import cut_markdown
from app.bot.domain.blocks.limits import (
    MAX_CHARACTERS,
    MAX_COMPONENTS,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_IMAGES_IN_GALLERY,
    character_count,
    component_count,
    file_count,
)
from app.bot.domain.formatting.markdown import shorten, shorten_markdown

_LABEL_CHARACTERS = 1_000
_FEWEST_CHARACTERS = 400
"""Less room than this is not worth a piece of a text that is cut anyway."""
_WHOLE = frozenset({Buttons, Problem, Select, Stamp})
"""Kinds of blocks, beside texts and separators, that are never changed or divided when they fit."""
_TOO_LARGE = Problem("A picture", f"It is larger than the {MAX_FILE_BYTES // 2**20} MiB that Discord takes.")


@dataclass(frozen=True, slots=True)
class Frame:
    """The framed card that each message is drawn in, and its accent colour (0xRRGGBB)."""

    accent: int | None = None


@dataclass(frozen=True, slots=True)
class _Room:
    """What a message can still take."""

    components: int = MAX_COMPONENTS
    characters: int = MAX_CHARACTERS
    files: int = MAX_FILES

    def holds(self, block: Block) -> bool:
        return (
            component_count(block) <= self.components
            and character_count(block) <= self.characters
            and file_count(block) <= self.files
        )

    def without(self, *blocks: Block) -> _Room:
        return _Room(
            self.components - sum(map(component_count, blocks)),
            self.characters - sum(map(character_count, blocks)),
            self.files - sum(map(file_count, blocks)),
        )


def split(
    blocks: Sequence[Block], max_messages: int, *, frame: Frame | None = None, footer: tuple[Block, ...] = ()
) -> tuple[tuple[Block, ...], ...]:
    """Divide the blocks into messages, in order, each within Discord's limits; the last one ends with the footer.

    Messages break between blocks where that is possible. A container too large for a message becomes several of the
    same colour, a text is cut, a gallery divided; everything else stays whole. What goes beyond `max_messages` is left
    out, and a notice says so.
    """
    if _is_one_message(blocks, footer, framed=frame is not None):
        whole = (*blocks, *footer)
        return ((Container(whole, frame.accent),) if frame is not None else whole,)
    room = _Room().without(Container(())) if frame is not None else _Room()
    rest = _prepared(blocks, framed=frame is not None)
    messages: list[tuple[Block, ...]] = []
    while not _fits((*rest, *footer), room):
        if len(messages) == max_messages - 1:
            rest = _last(rest, max_messages, room.without(*footer))
            break
        head, rest = _head(rest, room, room.without(*footer))
        if head:  # else nothing but space was left out
            messages.append(head)
    if rest or footer:
        messages.append((*rest, *footer))
    shown = messages or [(Text(""),)]
    return tuple((Container(message, frame.accent),) if frame is not None else message for message in shown)


def _is_one_message(blocks: Sequence[Block], footer: Sequence[Block], *, framed: bool) -> bool:
    """Whether these are blocks of the usual kinds, which one message holds as they are: so it is nearly always."""
    components = MAX_COMPONENTS - framed
    characters = MAX_CHARACTERS
    for block in (*blocks, *footer):
        kind = type(block)
        if kind is Text:
            components -= 1
            characters -= len(block.text)  # type: ignore[union-attr]  # a Text
        elif kind is Separator:
            components -= 1
        elif kind in _WHOLE:
            components -= component_count(block)
            characters -= character_count(block)
        else:
            return False
    return components >= 0 and characters >= 0 and bool(blocks)


def _fits(blocks: Sequence[Block], room: _Room) -> bool:
    return (
        sum(map(component_count, blocks)) <= room.components
        and sum(map(character_count, blocks)) <= room.characters
        and sum(map(file_count, blocks)) <= room.files
    )


def _head(blocks: Sequence[Block], room: _Room, beside_footer: _Room) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Return what the first message shows, and the rest; a footer does not stand alone where that can be avoided."""
    head, rest = _take(blocks, room, room)
    if rest:
        return head, rest
    smaller = _take(blocks, beside_footer, beside_footer)
    return smaller if smaller[0] and smaller[1] else (head, rest)


def _last(blocks: Sequence[Block], max_messages: int, room: _Room) -> tuple[Block, ...]:
    """Return the last message that is allowed, with a notice of what it leaves out."""
    notice = _notice(len(blocks), max_messages)
    smaller = room.without(notice)
    head, rest = _take(blocks, smaller, smaller)
    return (*head, _notice(len(rest), max_messages)) if rest else head


def _notice(left_out: int, max_messages: int) -> Text:
    count = "one message" if max_messages == 1 else f"{max_messages} messages"
    return Text(f"-# {left_out} more parts do not fit into {count}. Spread them over pages.")


def _take(blocks: Sequence[Block], room: _Room, full: _Room) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Return the leading blocks that fit `room`, and the rest. An empty message has the room `full`."""
    taken: list[Block] = []
    for index, block in enumerate(blocks):
        if room.holds(block):
            taken.append(block)
            room = room.without(block)
            continue
        head, tail = (None, block) if full.holds(block) and room != full else _divided(block, room, full)
        rest = (*((tail,) if tail is not None else ()), *blocks[index + 1 :])
        return _without_trailing_space((*taken, head) if head is not None else taken), _without_leading_space(rest)
    return tuple(taken), ()


def _divided(block: Block, room: _Room, full: _Room) -> tuple[Block | None, Block | None]:
    """As much of a block as fits `room`, and what is left of it."""
    match block:
        case Text():
            least = 1 if room == full else _FEWEST_CHARACTERS
            if room.components < 1 or room.characters < least:
                return None, block
            head, tail = cut_markdown(block.text, room.characters)
            return Text(head) if head else None, Text(tail) if tail else None
        case Container():
            children, left = _take(block.children, room.without(Container(())), full.without(Container(())))
            return _with(block, children), _with(block, left)
        case _:
            return None, block


def _with(container: Container, children: tuple[Block, ...]) -> Container | None:
    return replace(container, children=children) if children else None


def _without_trailing_space(blocks: Sequence[Block]) -> tuple[Block, ...]:
    end = len(blocks)
    while end > 0 and isinstance(blocks[end - 1], Separator):
        end -= 1
    return tuple(blocks[:end])


def _without_leading_space(blocks: Sequence[Block]) -> tuple[Block, ...]:
    start = 0
    while start < len(blocks) and isinstance(blocks[start], Separator):
        start += 1
    return tuple(blocks[start:])


def _prepared(blocks: Iterable[Block], *, framed: bool) -> tuple[Block, ...]:
    """Return blocks that can be divided or fit a message. Containers hold no others, as Discord wants it."""
    found: list[Block] = []
    for block in blocks:
        if not isinstance(block, Container):
            found += _portable(block)
        elif framed:
            found += _prepared(block.children, framed=True)
        elif children := _prepared(block.children, framed=True):
            found.append(replace(block, children=children))
    return tuple(found)


def _portable(block: Block) -> tuple[Block, ...]:
    """Return a block as one or more that a message can hold."""
    match block:
        case Text() if len(block.text) > MAX_CHARACTERS and not block.text.strip():
            return (Text(""),)
        case Section():
            return _portable_section(block)
        case Gallery():
            return _portable_gallery(block)
        case Stamp() if len(block.label) > _LABEL_CHARACTERS:
            return (replace(block, label=shorten(block.label, _LABEL_CHARACTERS)),)
        case _:
            return (block,)


def _portable_section(section: Section) -> tuple[Block, ...]:
    if character_count(section) > MAX_CHARACTERS:
        each = MAX_CHARACTERS // len(section.texts)
        section = replace(section, texts=tuple(Text(shorten_markdown(text.text, each)) for text in section.texts))
    if isinstance(section.accessory, Image) and _is_too_large(section.accessory):
        return (*section.texts, _TOO_LARGE)
    return (section,)


def _portable_gallery(gallery: Gallery) -> tuple[Block, ...]:
    images = tuple(image for image in gallery.images if not _is_too_large(image))
    if images == gallery.images and 0 < len(images) <= MAX_IMAGES_IN_GALLERY:
        return (gallery,)
    size = MAX_IMAGES_IN_GALLERY
    parts = [replace(gallery, images=images[start : start + size]) for start in range(0, len(images), size)]
    return (*parts, _TOO_LARGE) if images != gallery.images else tuple(parts)


def _is_too_large(image: Image) -> bool:
    return image.picture is not None and len(image.picture.png) > MAX_FILE_BYTES
