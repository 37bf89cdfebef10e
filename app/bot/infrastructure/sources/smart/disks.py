"""What smartctl's JSON says of one disk, whatever it speaks: ATA, NVMe or SCSI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import Status
from app.shared.jmespaths import PathError, search

_UNREADABLE = 0b011
"""Bits of smartctl's exit status (smartctl(8), EXIT STATUS): wrong command line, the device cannot be opened."""
_PREFAIL = 1 << 4
_SELF_TEST = 1 << 7
_NVME_UNIT_BYTES = 512_000
"""NVMe counts what was written in thousands of 512 bytes (NVM Express Base Specification, SMART log)."""
_REALLOCATED, _PENDING, _UNCORRECTABLE, _WRITTEN = 5, 197, 198, 241
_WEAR = (231, 233, 177, 202, 173)
"""Attributes that go from 100 down to 0 with an SSD's life; which of them, depends on its maker."""
_LIFE_USED = frozenset({"Percent_Lifetime_Used", "Percentage_Used"})
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a disk is degraded."""

    hot_celsius: float
    worn_percent: float


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk. What it does not tell is None."""

    name: str
    model: str
    kind: str
    serial: str
    size: float | None
    asleep: bool
    passed: bool | None
    temperature: float | None
    power_on_hours: float | None
    reallocated: float | None
    pending: float | None
    uncorrectable: float | None
    wear: float | None
    spare: float | None
    errors: float | None
    written: float | None
    status: Status = Status.UP
    problem: str = ""

    def row(self) -> dict[str, Any]:
        """Return the disk as a row of a table."""
        return {
            "name": self.name,
            "model": self.model,
            "kind": self.kind,
            "serial": self.serial,
            "size": self.size,
            "status": self.status.value,
            "message": self.problem,
            "health": "asleep" if self.asleep else {True: "passed", False: "failed", None: "unknown"}[self.passed],
            "temperature": self.temperature,
            "power_on_hours": self.power_on_hours,
            "reallocated": self.reallocated,
            "pending": self.pending,
            "wear": self.wear,
        }


def parse_disk(name: str, data: Mapping[str, Any], limits: Limits) -> Disk:
    """Return the disk that smartctl told of, judged."""
    attributes = _attributes(data)
    rotation = _number(data, "rotation_rate")
    facts: dict[str, Any] = {
        "model": _text(data, "model_name || scsi_model_name || scsi_product"),
        "kind": _kind(_text(data, "device.protocol"), rotation),
        "serial": _text(data, "serial_number"),
        "size": _number(data, "user_capacity.bytes || nvme_total_capacity"),
        "asleep": _is_asleep(data),
        "passed": passed if isinstance(passed := _find(data, "smart_status.passed"), bool) else None,
        "temperature": _number(data, "temperature.current"),
        "power_on_hours": _number(data, "power_on_time.hours"),
        "reallocated": attributes.get(_REALLOCATED, _number(data, "scsi_grown_defect_list")),
        "pending": attributes.get(_PENDING),
        "uncorrectable": attributes.get(_UNCORRECTABLE),
        "wear": _wear(data),
        "spare": _number(data, "nvme_smart_health_information_log.available_spare"),
        "errors": _number(data, "nvme_smart_health_information_log.media_errors"),
        "written": _written(data, attributes),
    }
    status, problem = _judge(data, facts, limits)
    return Disk(name=name, status=status, problem=problem, **facts)


def _judge(data: Mapping[str, Any], facts: Mapping[str, Any], limits: Limits) -> tuple[Status, str]:
    if facts["asleep"]:
        return Status.UP, ""
    code = int(_number(data, "smartctl.exit_status") or 0)
    if code & _UNREADABLE:
        return Status.DOWN, f"It cannot be read: {_said(data)}"
    if facts["passed"] is False:
        return Status.DOWN, "The disk says that it fails: replace it"
    counted = [
        f"{int(facts[field])} {words}"
        for field, words in (
            ("reallocated", "reallocated sectors"),
            ("pending", "sectors that cannot be read"),
            ("uncorrectable", "uncorrectable sectors"),
            ("errors", "media errors"),
        )
        if facts[field]
    ]
    if _number(data, "nvme_smart_health_information_log.critical_warning"):
        counted.append("critical warning of the disk")
    if facts["temperature"] is not None and facts["temperature"] > limits.hot_celsius:
        counted.append(f"{facts['temperature']:g} °C")
    if facts["wear"] is not None and facts["wear"] > limits.worn_percent:
        counted.append(f"{facts['wear']:g} % of its life used up")
    if code & _PREFAIL:
        counted.append("a value is below its threshold")
    if code & _SELF_TEST:
        counted.append("its self-test failed")
    if counted:
        return Status.DEGRADED, ", ".join(counted)
    if facts["passed"] is None:
        return Status.UNKNOWN, f"It tells nothing of its health: {_said(data)}"
    return Status.UP, ""


def _said(data: Mapping[str, Any]) -> str:
    said = _find(data, "smartctl.messages[].string")
    texts = [text for text in said if isinstance(text, str)] if isinstance(said, list) else []
    return shorten(one_line(". ".join(texts)), _WORDS) or "smartctl says no more"


def _is_asleep(data: Mapping[str, Any]) -> bool:
    said = _find(data, "smartctl.messages[].string")
    mode = str(_find(data, "power_mode.ata_string || ''") or "").upper()
    texts = said if isinstance(said, list) else []
    return (
        "STANDBY" in mode
        or "SLEEP" in mode
        or any("in STANDBY mode" in str(text) or "in SLEEP mode" in str(text) for text in texts)
    )


def _kind(protocol: str, rotation: float | None) -> str:
    if protocol == "NVMe":
        return "NVMe"
    if rotation is None:
        return protocol or "disk"
    return "HDD" if rotation else "SSD"


def _attributes(data: Mapping[str, Any]) -> dict[int, float]:
    """Raw values of ATA attributes by number."""
    found: dict[int, float] = {}
    for attribute in _table(data):
        number, raw = attribute.get("id"), _number(attribute, "raw.value")
        if isinstance(number, int) and raw is not None:
            found[number] = raw
    return found


def _table(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    table = _find(data, "ata_smart_attributes.table")
    return [row for row in table if isinstance(row, Mapping)] if isinstance(table, list) else []


def _wear(data: Mapping[str, Any]) -> float | None:
    used = _number(
        data, "nvme_smart_health_information_log.percentage_used || scsi_percentage_used_endurance_indicator"
    )
    if used is not None:
        return used
    used = _number(data, "endurance_used.current_percent")
    if used is not None or _number(data, "rotation_rate"):
        return used
    table = _table(data)
    for wanted in _WEAR:
        for attribute in table:
            value = _number(attribute, "value")
            if attribute.get("id") != wanted or value is None or "Temperature" in str(attribute.get("name")):
                continue
            if attribute.get("name") in _LIFE_USED:
                return _number(attribute, "raw.value")
            return max(0.0, 100.0 - value)
    return None


def _written(data: Mapping[str, Any], attributes: Mapping[int, float]) -> float | None:
    units = _number(data, "nvme_smart_health_information_log.data_units_written")
    if units is not None:
        return units * _NVME_UNIT_BYTES
    named = {attribute.get("id"): attribute.get("name") for attribute in _table(data)}
    if _WRITTEN in attributes and named.get(_WRITTEN) == "Total_LBAs_Written":
        return attributes[_WRITTEN] * (_number(data, "logical_block_size") or 512)
    return None


def _find(data: Mapping[str, Any], path: str) -> Any:
    try:
        return search(path, data)
    except PathError:
        return None


def _number(data: Mapping[str, Any], path: str) -> float | None:
    found = _find(data, path)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def _text(data: Mapping[str, Any], path: str) -> str:
    found = _find(data, path)
    return one_line(found) if isinstance(found, str) else ""
