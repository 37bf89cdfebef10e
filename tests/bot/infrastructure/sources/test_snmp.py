from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Metric, MetricKind, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from tests.support.game_servers import udp_server
from tests.support.programs.monitoring import COMMUNITY, SNMP_PASSWORD, SNMP_PRIVACY_PASSWORD, SNMP_USER
from tests.support.services import HOST, Service, free_port

LOAD = "1.3.6.1.4.1.2021.10.1"
FAST = {"timeout_seconds": 0.2, "retries": 0}


@pytest.fixture
def logins(resources: Resources) -> dict[str, dict[str, Any]]:
    resources.secrets.values.update(
        community=COMMUNITY, authentication=SNMP_PASSWORD, privacy=SNMP_PRIVACY_PASSWORD, user=SNMP_USER
    )
    community = {"community": "${secret:community}"}
    user = {
        "username": SNMP_USER,
        "authentication": "sha",
        "authentication_password": "${secret:authentication}",
        "privacy": "aes",
        "privacy_password": "${secret:privacy}",
    }
    return {"1": community, "2c": community, "3": user}


@pytest.mark.parametrize("version", ["1", "2c", "3"])
async def test_a_real_agent_gives_values_and_tables(
    read: Any, snmpd: Service, logins: dict[str, dict[str, Any]], version: str
) -> None:
    reading = await read(
        "snmp",
        host=HOST,
        port=snmpd.port,
        version=version,
        **logins[version],
        metrics=[
            {"name": "memory", "oid": ".1.3.6.1.4.1.2021.4.5.0", "unit": "bytes", "scale": 1024},
            {"name": "load", "oid": f"{LOAD}.3.1", "labels": {"minutes": "1"}},
            {"name": "nothing", "oid": "1.3.6.1.4.1.99999.1.0", "unit": "watt"},
        ],
        tables=[
            {
                "name": "loads",
                "columns": {"name": f"{LOAD}.2"},
                "metrics": [{"name": "load.each", "oid": f"{LOAD}.5", "scale": 0.01}],
                "label": "name",
            }
        ],
        interfaces=True,
    )
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("uptime").value >= 0
    assert reading.metric("memory").value > 1e8
    assert reading.metric("load", {"minutes": "1"}).value >= 0
    assert reading.metric("nothing") == Metric("nothing", None, "watt")
    (system,) = reading.items["system"]
    # Net-SNMP does not let the description be empty; name and place are those of the test's configuration.
    assert (system["name"], system["location"], system["contact"]) == ("lab", "rack", "nobody")
    assert system["description"]
    assert [row["name"] for row in reading.items["loads"]] == ["Load-1", "Load-5", "Load-15"]
    assert [row["index"] for row in reading.items["loads"]] == ["1", "2", "3"]
    assert reading.metric("load.each", {"name": "Load-15"}).value >= 0
    assert "lo" in {row["interface"] for row in reading.items["interfaces"]}
    if version != "1":  # which has no counters of 64 bits
        loopback = reading.metric("network.received", {"interface": "lo"})
        assert (loopback.kind, loopback.unit) == (MetricKind.COUNTER, "bytes")
        assert loopback.value > 0


async def test_one_reader_asks_again_and_again(
    resources: Resources, snmpd: Service, logins: dict[str, dict[str, Any]]
) -> None:
    config = {"host": HOST, "port": snmpd.port, "version": "3", **logins["3"]}
    reader = open_reader(DataSource(1, "tested", "snmp", config=config), resources)
    for _ in range(3):
        assert (await reader.read()).status is Status.UP
    await reader.close()


async def test_a_wrong_login_is_told(read: Any, snmpd: Service, logins: dict[str, dict[str, Any]]) -> None:
    there = {"host": HOST, "port": snmpd.port, **FAST}
    with pytest.raises(SourceFailedError, match=r"^No answer: .* community or user"):
        await read("snmp", **there, community="wrong")
    user = {"version": "3", **logins["3"]}
    with pytest.raises(SourceFailedError, match=r"refuses the password|does not know this user"):
        await read("snmp", **there, **{**user, "authentication_password": "something else"})
    with pytest.raises(SourceFailedError, match="does not know this user"):
        await read("snmp", **there, **{**user, "username": "nobody"})
    with pytest.raises(HomelabError) as failure:
        await read("snmp", **there, **{**user, "privacy_password": "something else"})
    assert "something else" not in str(failure.value)


async def test_a_secret_that_comes_back_is_hidden(read: Any, snmpd: Service, resources: Resources) -> None:
    resources.secrets.values.update(community=COMMUNITY, place="rack")
    reading = await read(
        "snmp", host=HOST, port=snmpd.port, community="${secret:community}", username="${secret:place}"
    )
    assert reading.items["system"][0]["location"] == "•••"


@pytest.mark.parametrize("answer", [b"", b"garbage", b"\xff" * 1_400, b"\x30\x82\xff\xff", b"\x30\x00"])
async def test_garbage_and_silence_are_told(read: Any, answer: bytes) -> None:
    async with udp_server(lambda _question: [answer]) as port:
        with pytest.raises(SourceFailedError, match=r"No answer|agent"):
            await read("snmp", host=HOST, port=port, community="public", **FAST)


async def test_nobody_there_is_told(read: Any) -> None:
    with pytest.raises(SourceFailedError, match="No answer"):
        await read("snmp", host=HOST, port=free_port(), community="public", **FAST)
    with pytest.raises(HomelabError, match="The host name is unknown"):
        await read("snmp", host="nowhere.invalid", community="public", **FAST)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"community": ""}, "community: versions 1 and 2c need one"),
        ({"version": "3"}, "username: version 3 needs one"),
        ({"version": "3", "username": "u", "privacy": "aes"}, "only for users that are authenticated"),
        ({"community": "c", "metrics": [{"name": "m", "oid": "sysUpTime.0"}]}, "must be a number such as"),
        ({"community": "c", "metrics": [{"name": "m", "oid": "1.3.4294967296"}]}, "must be a number such as"),
        ({"community": "c", "tables": [{"name": "t"}]}, "columns: enter at least one"),
        ({"community": "c", "tables": [{"name": "t", "columns": {"a": "1.3"}, "label": "b"}]}, "no column “b”"),
        ({"community": "c", "tables": [{"name": "system", "columns": {"a": "1.3"}}]}, "names must differ"),
    ],
)
async def test_a_wrong_config_names_the_field(read: Any, config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigError, match=message):
        await read("snmp", host=HOST, **config)
