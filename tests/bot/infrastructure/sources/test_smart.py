"""Answers as smartmontools 7.3 and 7.4 print them, shortened to what is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Metric, Status
from tests.support.fake_programs import FakePrograms

SCAN = {
    "json_format_version": [1, 0],
    "smartctl": {"version": [7, 3], "exit_status": 0},
    "devices": [
        {"name": "/dev/sda", "info_name": "/dev/sda [SAT]", "type": "sat", "protocol": "ATA"},
        {"name": "/dev/nvme0", "info_name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"},
    ],
}


def attribute(number: int, name: str, raw: int, value: int = 100) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "value": value,
        "worst": value,
        "thresh": 10,
        "raw": {"value": raw, "string": ""},
    }


def hdd(*attributes: dict[str, Any], exit_status: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "smartctl": {"version": [7, 3], "exit_status": exit_status},
        "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
        "model_name": "WDC WD40EFRX-68N32N0",
        "serial_number": "WD-WCC7K0123456",
        "user_capacity": {"blocks": 7814037168, "bytes": 4000787030016},
        "logical_block_size": 512,
        "rotation_rate": 5400,
        "smart_status": {"passed": True},
        "ata_smart_attributes": {
            "revision": 16,
            "table": [
                attribute(5, "Reallocated_Sector_Ct", 0, 200),
                attribute(9, "Power_On_Hours", 30123, 59),
                attribute(194, "Temperature_Celsius", 31, 119),
                attribute(197, "Current_Pending_Sector", 0, 200),
                *attributes,
            ],
        },
        "power_on_time": {"hours": 30123},
        "temperature": {"current": 31},
        **more,
    }


NVME = {
    "smartctl": {"version": [7, 3], "exit_status": 0},
    "device": {"name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"},
    "model_name": "Samsung SSD 980 PRO 1TB",
    "serial_number": "S5GXNF0R123456",
    "nvme_total_capacity": 1000204886016,
    "smart_status": {"passed": True, "nvme": {"value": 0}},
    "nvme_smart_health_information_log": {
        "critical_warning": 0,
        "temperature": 44,
        "available_spare": 100,
        "available_spare_threshold": 10,
        "percentage_used": 3,
        "data_units_written": 40_000_000,
        "power_on_hours": 9001,
        "media_errors": 0,
    },
    "temperature": {"current": 44},
    "power_on_time": {"hours": 9001},
}
ASK = "--json --all --nocheck=standby "


def disks(programs: FakePrograms, code: int = 0, **answers: Any) -> None:
    """A smartctl that answers for /dev/sda, by its type or without."""
    found = {ASK + "--device=sat /dev/sda": answers["sda"], ASK + "/dev/sda": answers["sda"]}
    programs.prints("smartctl", {arguments: json.dumps(answer) for arguments, answer in found.items()}, code)


async def test_all_disks_that_are_found(read: Any, programs: FakePrograms) -> None:
    answers = {"--json --scan": SCAN, ASK + "--device=sat /dev/sda": hdd(), ASK + "--device=nvme /dev/nvme0": NVME}
    programs.prints("smartctl", {arguments: json.dumps(answer) for arguments, answer in answers.items()})
    reading = await read("smart")
    assert (reading.status, reading.message) == (Status.UP, "")
    spinning, solid = reading.items["disks"]
    assert (spinning["model"], spinning["kind"], spinning["health"]) == ("WDC WD40EFRX-68N32N0", "HDD", "passed")
    assert (spinning["size"], spinning["wear"]) == (4000787030016, None)
    assert (solid["kind"], solid["size"], solid["wear"]) == ("NVMe", 1000204886016, 3)
    first, second = {"disk": "/dev/sda"}, {"disk": "/dev/nvme0"}
    assert reading.metric("disk.temperature", first) == Metric("disk.temperature", 31.0, "celsius", first)
    assert reading.metric("disk.power_on", first) == Metric("disk.power_on", 30123.0, "hours", first)
    assert reading.metric("disk.reallocated", first).value == 0
    assert reading.metric("disk.wear", first) is None
    assert reading.metric("disk.healthy", second).value == 1
    assert reading.metric("disk.written", second) == Metric("disk.written", 20.48e12, "bytes", second)
    assert reading.metric("disk.spare", second).value == 100


@pytest.mark.parametrize(
    ("answer", "status", "problem"),
    [
        (hdd(smart_status={"passed": False}, exit_status=8), Status.DOWN, "The disk says that it fails: replace it"),
        (hdd(attribute(5, "Reallocated_Sector_Ct", 8)), Status.DEGRADED, "8 reallocated sectors"),
        (hdd(attribute(198, "Offline_Uncorrectable", 2)), Status.DEGRADED, "2 uncorrectable sectors"),
        (hdd(temperature={"current": 61}), Status.DEGRADED, "61 °C"),
        (hdd(exit_status=16), Status.DEGRADED, "a value is below its threshold"),
        (hdd(exit_status=128), Status.DEGRADED, "its self-test failed"),
        (hdd(exit_status=64), Status.UP, ""),
        (hdd(attribute(231, "SSD_Life_Left", 0, 7), rotation_rate=0), Status.DEGRADED, "93 % of its life used up"),
        (
            {**NVME, "nvme_smart_health_information_log": {"critical_warning": 4, "media_errors": 1}},
            Status.DEGRADED,
            "1 media errors, critical warning of the disk",
        ),
        (
            {
                "smartctl": {
                    "exit_status": 2,
                    "messages": [
                        {"string": "Smartctl open device: /dev/sda failed: Permission denied", "severity": "error"}
                    ],
                }
            },
            Status.DOWN,
            "It cannot be read: Smartctl open device: /dev/sda failed: Permission denied",
        ),
        (
            {"smartctl": {"exit_status": 4, "messages": [{"string": "Device does not support SMART"}]}},
            Status.UNKNOWN,
            "It tells nothing of its health: Device does not support SMART",
        ),
    ],
)
async def test_what_a_disk_says(
    read: Any, programs: FakePrograms, answer: dict[str, Any], status: Status, problem: str
) -> None:
    disks(programs, answer["smartctl"]["exit_status"], sda=answer)
    reading = await read("smart", devices=["/dev/sda,sat"])
    assert reading.status is status
    assert reading.message == (f"/dev/sda: {problem}" if problem else "")
    assert reading.items["disks"][0]["message"] == problem


@pytest.mark.parametrize(
    "answer",
    [
        {"smartctl": {"exit_status": 2, "messages": [{"string": "Device is in STANDBY mode, exit(2)"}]}},
        {"smartctl": {"exit_status": 2}, "power_mode": {"ata_value": 0, "ata_string": "STANDBY"}},
    ],
)
async def test_a_disk_that_sleeps_is_left_alone(read: Any, programs: FakePrograms, answer: dict[str, Any]) -> None:
    disks(programs, 2, sda=answer)
    reading = await read("smart", devices=["/dev/sda"])
    assert (reading.status, reading.items["disks"][0]["health"]) == (Status.UP, "asleep")
    assert reading.metrics == ()


async def test_an_ssd_by_sata(read: Any, programs: FakePrograms) -> None:
    life = (attribute(177, "Wear_Leveling_Count", 50, 96), attribute(241, "Total_LBAs_Written", 1_000_000))
    disks(programs, sda=hdd(*life, rotation_rate=0))
    reading = await read("smart", devices=["/dev/sda"])
    assert reading.items["disks"][0]["kind"] == "SSD"
    assert reading.metric("disk.wear").value == 4
    assert reading.metric("disk.written").value == 512_000_000


async def test_no_disks_or_no_json(read: Any, programs: FakePrograms) -> None:
    programs.prints("smartctl", {"--json --scan": '{"smartctl": {"exit_status": 0}}'})
    with pytest.raises(HomelabError, match=r"smartctl finds no disk\. In a container"):
        await read("smart")
    programs.put("smartctl", "#!/bin/sh\necho UNRECOGNIZED OPTION: json; exit 1\n")
    with pytest.raises(HomelabError, match="smartctl failed: UNRECOGNIZED OPTION: json"):
        await read("smart")
    programs.prints("smartctl", {"--json --scan": "[]"})
    with pytest.raises(HomelabError, match=r"smartmontools 7\.0 or newer is needed"):
        await read("smart")


async def test_odd_answers_are_no_fault(read: Any, programs: FakePrograms) -> None:
    odd = {
        "smartctl": {"exit_status": "x", "messages": "?"},
        "temperature": [],
        "ata_smart_attributes": {"table": [1, {}]},
    }
    programs.prints("smartctl", {ASK + "/dev/sda": json.dumps(odd)})
    assert (await read("smart", devices=["/dev/sda"])).status is Status.UNKNOWN


async def test_a_device_is_no_option(read: Any) -> None:
    for wrong in ("--scan", "/etc/passwd", "/dev/sda -x"):
        with pytest.raises(InvalidConfigError, match="devices"):
            await read("smart", devices=[wrong])


@pytest.mark.usefixtures("smartctl")
async def test_the_real_program_takes_the_arguments(read: Any) -> None:
    try:
        reading = await read("smart")
    except HomelabError as error:
        assert "finds no disk" in str(error)  # noqa: PT017  # as most machines of tests
    else:
        assert reading.items["disks"]
    reading = await read("smart", devices=["/dev/null"])
    assert reading.status is Status.DOWN
    assert reading.message.startswith("/dev/null: It cannot be read: /dev/null: Unable to detect device type")
