from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, MetricKind, Status
from tests.support.fake_programs import FakePrograms
from tests.support.programs.network import WireguardEnd
from tests.support.waiting import until

PRIVATE = "cHJpdmF0ZS1rZXktb2Ytd2cwLTEyMzQ1Njc4OTAxMjM="
PRESHARED = "cHJlc2hhcmVkLWtleS1vZi1waG9uZS0xMjM0NTY3ODk="
PHONE = "cGhvbmUtcHVibGljLWtleS0xMjM0NTY3ODkwMTIzNDU="
LAPTOP = "bGFwdG9wLXB1YmxpYy1rZXktMTIzNDU2Nzg5MDEyMzQ="
OTHER = "b3RoZXItcHVibGljLWtleS0xMjM0NTY3ODkwMTIzNDU="


def dump(now: float) -> str:
    """What wireguard-tools 1.0.20210914 prints, as wg(8) describes it."""
    lines = (
        ("wg0", PRIVATE, "cHVibGljLWtleS1vZi13ZzAtMTIzNDU2Nzg5MDEyMzQ=", "51820", "off"),
        (
            "wg0",
            PHONE,
            PRESHARED,
            "198.51.100.7:41820",
            "10.0.0.2/32,fd00::2/128",
            f"{now - 60:.0f}",
            "1000",
            "2000",
            "25",
        ),
        ("wg0", LAPTOP, "(none)", "(none)", "10.0.0.3/32", "0", "0", "0", "off"),
        ("wg1", PRIVATE, "cHVibGljLWtleS1vZi13ZzEtMTIzNDU2Nzg5MDEyMzQ=", "51821", "0xca6c"),
        ("wg1", OTHER, "(none)", "203.0.113.9:51821", "(none)", f"{now - 3_600:.0f}", "5", "6", "off"),
    )
    return "".join("\t".join(line) + "\n" for line in lines)


async def test_peers(read: Any, programs: FakePrograms) -> None:
    programs.prints("wg", {"show all dump": dump(time.time())})
    reading = await read("wireguard", names={PHONE: "Phone"})
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("peer.count") == Metric("peer.count", 3.0, "count")
    assert reading.metric("peer.online") == Metric("peer.online", 1.0, "count")
    labels = {"peer": "Phone", "interface": "wg0"}
    counted = Metric("network.received", 1000.0, "bytes", labels, MetricKind.COUNTER)
    assert reading.metric("network.received", {"peer": "Phone"}) == counted
    assert 59 <= reading.metric("peer.handshake", {"peer": "Phone"}).value < 120
    assert reading.metric("peer.handshake", {"peer": "10.0.0.3"}).value is None
    phone, never, other = reading.items["peers"]
    assert phone["status"] == "up"
    assert (phone["endpoint"], phone["addresses"]) == ("198.51.100.7:41820", "10.0.0.2/32, fd00::2/128")
    assert (never["name"], never["status"], never["endpoint"]) == ("10.0.0.3", "unknown", "")
    assert (other["name"], other["status"]) == (OTHER[:8] + "…", "unknown")


async def test_no_key_is_kept(read: Any, programs: FakePrograms) -> None:
    programs.prints("wg", {"show all dump": dump(time.time())})
    shown = str((await read("wireguard", expected=[LAPTOP])).to_json())
    for key in (PRIVATE, PRESHARED, PHONE, LAPTOP, OTHER):
        assert key not in shown
        assert key[:20] not in shown


async def test_who_must_be_online(read: Any, programs: FakePrograms) -> None:
    programs.prints("wg", {"show all dump": dump(time.time())})
    reading = await read("wireguard", names={PHONE: "Phone", LAPTOP: "Laptop"}, expected=["Phone", PHONE, LAPTOP, "TV"])
    assert (reading.status, reading.message) == (Status.DEGRADED, "Not online: Laptop, TV")


async def test_only_some_interfaces_from_a_file(read: Any, tmp_path: Path) -> None:
    file = tmp_path / "wg.txt"
    file.write_text(dump(time.time()))
    reading = await read("wireguard", file=str(file), interfaces=["wg1"])
    assert [row["interface"] for row in reading.items["peers"]] == ["wg1"]


async def test_what_went_wrong_is_told_without_keys(read: Any, programs: FakePrograms, tmp_path: Path) -> None:
    programs.put(
        "wg", f"#!/bin/sh\necho {PRIVATE}\necho 'Unable to access interface wg0: Operation not permitted' >&2\nexit 1\n"
    )
    with pytest.raises(
        HomelabError, match="wg failed: Unable to access interface wg0: Operation not permitted"
    ) as told:
        await read("wireguard")
    assert PRIVATE not in str(told.value)
    with pytest.raises(HomelabError, match="The file cannot be read: No such file"):
        await read("wireguard", file="/nowhere/wg.txt")
    for text in ("something else\n", "\t".join(["a"] * 9)):
        programs.prints("wg", {"show all dump": text})
        with pytest.raises(HomelabError, match="This is not what `wg show all dump` prints"):
            await read("wireguard")


async def test_no_wireguard(read: Any, programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name, path: None)
    with pytest.raises(HomelabError, match="wg is not installed on the machine the bot runs on"):
        await read("wireguard")
    monkeypatch.undo()


async def test_an_interface_without_peers(read: Any, tmp_path: Path) -> None:
    file = tmp_path / "wg.txt"
    file.write_text("\t".join(("wg0", PRIVATE, "public", "51820", "off")))
    reading = await read("wireguard", file=str(file))
    assert (reading.status, reading.items["peers"]) == (Status.UP, [])
    file.write_text("")
    assert (await read("wireguard", file=str(file))).metric("peer.count").value == 0


async def test_the_real_one(read: Any, wireguard: tuple[WireguardEnd, WireguardEnd]) -> None:
    here, there = wireguard
    config = {"names": {there.public_key: "There"}, "interfaces": [here.interface], "expected": ["There"]}

    async def talked() -> bool:
        reading = await read("wireguard", **config)
        return reading.status is Status.UP

    await until(talked, "a handshake")
    reading = await read("wireguard", **config)
    (row,) = reading.items["peers"]
    assert (row["name"], row["status"], row["addresses"]) == ("There", "up", "10.99.0.2/32")
    assert row["received"] > 0
    shown = str((await read("wireguard")).to_json())
    for one in wireguard:
        assert one.private_key not in shown
        assert one.public_key not in shown
