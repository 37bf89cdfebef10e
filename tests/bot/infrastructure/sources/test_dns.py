from __future__ import annotations

from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from tests.support.local_dns import dns_server

ZONE = {
    ("example.org.", "A"): [dns.rrset.from_text("example.org.", 300, "IN", "A", "192.0.2.1", "192.0.2.2")],
    ("www.example.org.", "A"): [
        dns.rrset.from_text("www.example.org.", 60, "IN", "CNAME", "example.org."),
        dns.rrset.from_text("example.org.", 300, "IN", "A", "192.0.2.1"),
    ],
    ("example.org.", "MX"): [dns.rrset.from_text("example.org.", 300, "IN", "MX", "10 mail.example.org.")],
    ("example.org.", "TXT"): [dns.rrset.from_text("example.org.", 300, "IN", "TXT", '"v=spf1 -all"')],
    ("1.2.0.192.in-addr.arpa.", "PTR"): [
        dns.rrset.from_text("1.2.0.192.in-addr.arpa.", 300, "IN", "PTR", "example.org.")
    ],
    ("long.example.org.", "A"): [
        dns.rrset.from_text("long.example.org.", 300, "IN", "A", *(f"192.0.2.{number}" for number in range(200)))
    ],
}


def zone(query: dns.message.Message) -> dns.message.Message:
    question = query.question[0]
    answer = dns.message.make_response(query)
    name = question.name.to_text().lower()
    found = ZONE.get((name, dns.rdatatype.to_text(question.rdtype)))
    if found is not None:
        answer.answer = list(found)
    elif name == "broken.example.org.":
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif name == "private.example.org.":
        answer.set_rcode(dns.rcode.REFUSED)
    elif not any(known == name for known, _ in ZONE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


@pytest.fixture
def ask(read: Any) -> Any:
    async def ask_zone(name: str, record_type: str = "A", **config: Any) -> Reading:
        async with dns_server(zone) as port:
            reading = await read("dns", name=name, record_type=record_type, server="127.0.0.1", port=port, **config)
        assert isinstance(reading, Reading)
        return reading

    return ask_zone


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_answers_are_listed(ask: Any, protocol: str) -> None:
    reading = await ask("www.example.org", protocol=protocol, expected=["192.0.2.1"])
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.items["answers"] == [
        {"name": "www.example.org", "type": "CNAME", "value": "example.org.", "ttl": 60},
        {"name": "example.org", "type": "A", "value": "192.0.2.1", "ttl": 300},
    ]
    assert reading.metric("answer.count") == Metric("answer.count", 1.0, "count")
    assert reading.metric("ttl") == Metric("ttl", 300.0, "seconds")
    assert reading.metric("latency").value > 0


@pytest.mark.parametrize(
    ("name", "record_type", "expected"),
    [
        ("example.org", "MX", "10 MAIL.example.org"),
        ("example.org", "TXT", "v=spf1 -all"),
        ("192.0.2.1", "PTR", "example.org"),
    ],
)
async def test_values_are_expected_as_people_write_them(ask: Any, name: str, record_type: str, expected: str) -> None:
    assert (await ask(name, record_type, expected=[expected])).status is Status.UP


async def test_an_answer_too_long_for_udp_comes_by_tcp(ask: Any) -> None:
    reading = await ask("long.example.org")
    assert reading.metric("answer.count").value == 200


@pytest.mark.parametrize(
    ("name", "record_type", "problem"),
    [
        ("nowhere.example.org", "A", "The name does not exist (NXDOMAIN)"),
        ("broken.example.org", "A", "The server could not find out (SERVFAIL)"),
        ("private.example.org", "A", "The server refuses to answer (REFUSED)"),
        ("example.org", "AAAA", "The name has no AAAA record"),
    ],
)
async def test_the_result_is_told_in_words(ask: Any, name: str, record_type: str, problem: str) -> None:
    reading = await ask(name, record_type)
    assert (reading.status, reading.message) == (Status.DOWN, problem)
    assert reading.metric("answer.count").value == 0


async def test_what_a_filter_must_block(ask: Any) -> None:
    assert (await ask("ads.example.org", expected_result="NXDOMAIN")).status is Status.UP
    reading = await ask("example.org", expected_result="NXDOMAIN")
    assert (reading.status, reading.message) == (Status.DOWN, "The name exists")


async def test_a_wrong_answer_is_told(ask: Any) -> None:
    reading = await ask("example.org", expected=["192.0.2.2", "192.0.2.9"])
    assert reading.status is Status.DOWN
    assert reading.message == "Expected 192.0.2.9, but the answer is 192.0.2.1, 192.0.2.2"


async def test_a_slow_answer_degrades(ask: Any) -> None:
    reading = await ask("example.org", slow_seconds=1e-9)
    assert (reading.status, reading.message) == (Status.DEGRADED, "The answer took longer than 1e-09 s")


async def test_a_lost_datagram_is_asked_again(read: Any) -> None:
    asked: list[dns.message.Message] = []

    def lose_first(query: dns.message.Message) -> dns.message.Message | None:
        asked.append(query)
        return zone(query) if len(asked) > 1 else None

    async with dns_server(lose_first) as port:
        reading = await read("dns", name="example.org", server="127.0.0.1", port=port, wait_seconds=2)
    assert (reading.status, len(asked)) == (Status.UP, 2)


@pytest.mark.parametrize(
    ("answer", "problem"), [(None, "No answer within 0.1 s"), (b"what?", "No answer within 0.1 s")]
)
async def test_no_usable_answer(read: Any, answer: bytes | None, problem: str) -> None:
    async with dns_server(lambda _query: answer) as port:
        reading = await read("dns", name="example.org", server="127.0.0.1", port=port, wait_seconds=0.1)
    assert (reading.status, reading.message) == (Status.DOWN, problem)
    assert reading.metric("latency") == Metric("latency", None, "seconds")


async def test_garbage_by_tcp(read: Any) -> None:
    async with dns_server(lambda _query: b"what?") as port:
        reading = await read("dns", name="example.org", server="127.0.0.1", port=port, protocol="tcp")
    assert (reading.status, reading.message) == (Status.DOWN, "The answer is not DNS")


async def test_an_unknown_server(read: Any) -> None:
    reading = await read("dns", name="example.org", server="nowhere.invalid")
    assert (reading.status, reading.message) == (Status.DOWN, "Server: The host name is unknown")


async def test_a_wrong_name_is_refused(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match=r"name: .*must be a name like example\.org"):
        await read("dns", name="two words")
