from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError
from app.bot.infrastructure.sources import SourceFailedError, minecraft
from app.bot.infrastructure.sources.minecraft import _varint
from tests.support.game_servers import tcp_server, udp_server
from tests.support.services import HOST, free_port

STATUS = {
    "version": {"name": "Paper 1.21.4", "protocol": 769},
    "players": {
        "max": 20,
        "online": 3,
        "sample": [{"name": "Alex", "id": "a"}, {"name": "Steve", "id": "b"}, {"name": "Stevie", "id": "c"}],
    },
    "description": {"text": "", "extra": [{"text": "§aMy ", "bold": True}, "Lab\n", {"text": "of blocks"}]},
    "favicon": "data:image/png;base64,AAAA",
}
PONG = b"\x1c" + bytes(8) + bytes(8) + bytes.fromhex("00ffff00fefefefefdfdfdfd12345678")


def java(status: Any) -> bytes:
    text = status if isinstance(status, bytes) else json.dumps(status).encode()
    body = b"\0" + _varint(len(text)) + text
    return _varint(len(body)) + body


def bedrock(text: str) -> bytes:
    return PONG + len(text.encode()).to_bytes(2) + text.encode()


async def test_a_java_server_tells_who_plays(read: Any) -> None:
    async with tcp_server(java(STATUS)) as port:
        reading = await read("minecraft", host=HOST, port=port)
    assert reading.status is Status.UP
    assert reading.metric("players") == Metric("players", 3, "count")
    assert reading.metric("players.max") == Metric("players.max", 20, "count")
    assert reading.metric("latency").value > 0
    assert reading.items["servers"] == [
        {
            "name": "My Lab of blocks",
            "game": "Minecraft Paper 1.21.4",
            "version": "Paper 1.21.4",
            "players": 3,
            "maximum": 20,
            "address": f"{HOST}:{port}",
            "status": "up",
        }
    ]
    assert [row["name"] for row in reading.items["players"]] == ["Alex", "Steve", "Stevie"]


async def test_only_names_that_may_be_shown_are(read: Any) -> None:
    async with tcp_server(java(STATUS)) as port:
        some = await read("minecraft", host=HOST, port=port, names=["Stev?", "Nobody"])
        none = await read("minecraft", host=HOST, port=port, names=[])
    assert [row["name"] for row in some.items["players"]] == ["Steve"]
    assert none.items["players"] == []
    assert none.metric("players").value == 3


async def test_a_server_that_tells_little_is_shown(read: Any) -> None:
    status = {"version": {"name": "", "protocol": 1}, "players": {"max": 0, "online": 0}, "description": ""}
    async with tcp_server(java(status)) as port:
        reading = await read("minecraft", host=HOST, port=port)
    assert (reading.items["servers"][0]["name"], reading.items["players"]) == (HOST, [])


async def test_a_bedrock_server_tells_who_plays(read: Any) -> None:
    text = "MCPE;§bBedrock lab;712;1.21.20;2;10;123;World one;Survival;1;19132;19133;"
    async with udp_server(lambda _question: [bedrock(text)]) as port:
        reading = await read("minecraft", host=HOST, port=port, edition="bedrock")
    (row,) = reading.items["servers"]
    assert (row["name"], row["version"], row["players"], row["maximum"]) == ("Bedrock lab", "1.21.20", 2, 10)
    assert (row["map"], row["mode"]) == ("World one", "Survival")
    assert reading.metric("players").value == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 100,
        b"\x05\x00",
        java(b"{"),
        java([]),
        java({"players": 3}),
        java({**STATUS, "players": {"online": "many", "max": 5}}),
        java(b"[" * 100_000),
        _varint(2_000_000) + b"\0" + b"x" * 100,
        java(STATUS)[:50],
    ],
    ids=range(11),
)
async def test_what_is_no_java_server_says_so(read: Any, answer: bytes) -> None:
    async with tcp_server(answer) as port:
        with pytest.raises(HomelabError, match=r"not that of a Minecraft server|closed the connection"):
            await read("minecraft", host=HOST, port=port)


@pytest.mark.parametrize("answer", [b"x" * 500, PONG, bedrock("MCPE;x"), bedrock("a;b;c;d;e;f"), PONG + b"\xff\xff"])
async def test_what_is_no_bedrock_server_says_so(read: Any, answer: bytes) -> None:
    async with udp_server(lambda _question: [answer]) as port:
        with pytest.raises(SourceFailedError, match="not that of a Minecraft server"):
            await read("minecraft", host=HOST, port=port, edition="bedrock")


async def test_nobody_there_is_told(read: Any) -> None:
    for edition in ("java", "bedrock"):
        with pytest.raises(ConnectionFailedError, match=r"^Connection refused$"):
            await read("minecraft", host=HOST, port=free_port(), edition=edition)


async def test_a_server_that_hangs_is_given_up(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tcp_server(b"", hangs=True) as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read("minecraft", host=HOST, port=port), 0.2)
    monkeypatch.setattr(minecraft, "_ANSWER_SECONDS", 0.05)
    async with udp_server(lambda _question: []) as port:
        with pytest.raises(ConnectionFailedError, match="No answer in time"):
            await read("minecraft", host=HOST, port=port, edition="bedrock")
