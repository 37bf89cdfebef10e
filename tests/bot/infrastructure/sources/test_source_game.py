from __future__ import annotations

import struct
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError
from app.bot.infrastructure.sources import source_game
from tests.support.game_servers import Answer, udp_server
from tests.support.services import HOST, free_port

SINGLE = b"\xff\xff\xff\xff"
INFO = (
    SINGLE
    + b"I\x11My lab\0de_dust2\0cstrike\0Counter-Strike: Source\0"
    + struct.pack("<HBBB", 240, 5, 32, 2)
    + b"dl\x01\x0192\0"
    + b"\x80"
    + struct.pack("<H", 27020)
)
GOLDSRC = (
    SINGLE + b"m10.0.0.1:27015\0Old lab\0crossfire\0valve\0Half-Life\0" + b"\x03\x10\x2f" + b"dl\x00\x00" + b"\x01\x00"
)
CHALLENGE = SINGLE + b"A" + struct.pack("<I", 0xC0FFEE)


def players(*found: tuple[str, int, float]) -> bytes:
    rows = b"".join(
        b"\0" + name.encode() + b"\0" + struct.pack("<if", score, seconds) for name, score, seconds in found
    )
    return SINGLE + b"D" + bytes([len(found)]) + rows


def split(content: bytes, size: int, identity: int = 7) -> list[bytes]:
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return [
        b"\xfe\xff\xff\xff" + struct.pack("<IBBH", identity, len(parts), number, size) + part
        for number, part in enumerate(parts)
    ]


def server(info: bytes = INFO, who: list[bytes] | None = None) -> Answer:
    """As servers do, it wants to see its challenge again first."""
    table = [players(("Gordon", 5, 61.5), ("Alyx", 12, 3.0), ("", 0, 1.0))] if who is None else who

    def answer(question: bytes) -> list[bytes]:
        if not question.endswith(struct.pack("<I", 0xC0FFEE)):
            return [CHALLENGE]
        return [info] if question.startswith(SINGLE + b"T") else table

    return answer


async def test_a_server_tells_what_is_played_and_by_whom(read: Any) -> None:
    async with udp_server(server()) as port:
        reading = await read("source_game", host=HOST, port=port)
    assert reading.status is Status.UP
    assert reading.metric("players") == Metric("players", 5, "count")
    assert reading.metric("players.max") == Metric("players.max", 32, "count")
    assert reading.metric("bots") == Metric("bots", 2, "count")
    assert reading.metric("latency").value > 0
    assert reading.items["servers"] == [
        {
            "name": "My lab",
            "game": "Counter-Strike: Source",
            "version": "92",
            "players": 5,
            "maximum": 32,
            "address": f"{HOST}:27020",
            "map": "de_dust2",
            "password": True,
            "status": "up",
        }
    ]
    assert reading.items["players"] == [
        {"name": "Alyx", "score": 12, "seconds": 3},
        {"name": "Gordon", "score": 5, "seconds": 62},
    ]


async def test_an_old_server_is_read_too(read: Any) -> None:
    async with udp_server(lambda _question: [GOLDSRC]) as port:
        reading = await read("source_game", host=HOST, port=port, players=False)
    (row,) = reading.items["servers"]
    assert (row["name"], row["game"], row["map"], row["players"]) == ("Old lab", "Half-Life", "crossfire", 3)
    assert reading.metric("bots").value == 0


async def test_an_answer_in_parts_is_put_together_in_any_order(read: Any) -> None:
    many = players(*((f"Player {number}", number, 1.0) for number in range(100)))
    parts = split(many, 500)
    assert len(parts) > 2
    async with udp_server(server(who=[parts[1], parts[0], *parts[2:]])) as port:
        reading = await read("source_game", host=HOST, port=port)
    assert len(reading.items["players"]) == 100


async def test_only_names_that_may_be_shown_are(read: Any) -> None:
    async with udp_server(server()) as port:
        reading = await read("source_game", host=HOST, port=port, names=["A*"])
    assert [row["name"] for row in reading.items["players"]] == ["Alyx"]


async def test_a_server_that_keeps_its_players_to_itself_is_up(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_game, "_ANSWER_SECONDS", 0.05)
    async with udp_server(server(who=[])) as port:
        reading = await read("source_game", host=HOST, port=port)
    assert (reading.status, reading.items["players"]) == (Status.UP, [])


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage",
        SINGLE,
        SINGLE + b"I\x11cut",
        SINGLE + b"Z" * 100,
        CHALLENGE,
        INFO[:-20],
        split(INFO * 9, 100, identity=1 << 31)[0],
        split(INFO, 20)[0],
        b"\xfe\xff\xff\xff" + b"\xff" * 20,
    ],
    ids=range(9),
)
async def test_what_is_no_game_server_says_so(read: Any, answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_game, "_ANSWER_SECONDS", 0.05)
    async with udp_server(lambda _question: [answer]) as port:
        with pytest.raises(HomelabError, match=r"not that of a game server|A part of the answer got lost"):
            await read("source_game", host=HOST, port=port)


async def test_nobody_there_and_silence_are_told(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionFailedError, match=r"^Connection refused$"):
        await read("source_game", host=HOST, port=free_port())
    monkeypatch.setattr(source_game, "_ANSWER_SECONDS", 0.05)
    async with udp_server(lambda _question: []) as port:
        with pytest.raises(ConnectionFailedError, match="No answer in time"):
            await read("source_game", host=HOST, port=port)
