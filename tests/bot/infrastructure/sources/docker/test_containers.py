from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.bot.infrastructure.sources.docker.containers import Choice, Container, Details, in_order
from app.bot.infrastructure.sources.docker.inspections import RestartCounts

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def container(**fields: Any) -> Container:
    return Container.of({"Id": "a" * 64, "Names": ["/web"], "State": "running", "Labels": {}, **fields})


def test_dockers_own_shape() -> None:
    found = container(
        Names=["/proxy/web", "/web"],
        Ports=[
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 443, "Type": "tcp"},
        ],
        Labels={"com.docker.compose.project": "shop", "com.docker.compose.service": "front", "homelab.order": "2"},
        Status="Up 2 hours (healthy)",
    )
    row = found.row(NOW)
    assert (row["name"], row["id"], row["ports"]) == ("web", "a" * 12, "8080→80/tcp, 443/tcp")
    assert (row["project"], row["service"], row["order"]) == ("shop", "front", 2.0)


@pytest.mark.parametrize(
    ("state", "details", "status", "trouble"),
    [
        ("running", Details(health="healthy"), "running", ""),
        ("running", Details(health="unhealthy"), "unhealthy", "unhealthy"),
        ("running", Details(health="starting"), "starting", "starting"),
        ("exited", Details(health="unhealthy", exit_code=137), "exited", "exited with code 137"),
        ("exited", Details(exit_code=0), "exited", "exited"),
        ("paused", Details(), "paused", "paused"),
    ],
)
def test_one_word_says_how_it_is(state: str, details: Details, status: str, trouble: str) -> None:
    found = Container("1", "web", "", state, "", "", {}, details)
    assert (found.status, found.trouble) == (status, trouble)


def test_uptime_is_that_of_running_ones() -> None:
    details = Details.of({"State": {"StartedAt": "2026-05-01T11:59:00.123456789Z"}})
    assert Container("1", "web", "", "running", "", "", {}, details).uptime(NOW) == pytest.approx(59.876544)
    assert Container("1", "web", "", "exited", "", "", {}, details).uptime(NOW) is None
    later = Details(started_at=NOW + timedelta(minutes=5))  # its clock is ahead
    assert Container("1", "web", "", "running", "", "", {}, later).uptime(NOW) == 0.0


def test_odd_answers_are_read_as_far_as_they_go() -> None:
    found = Container.of({"Id": 5, "Names": None, "Labels": [], "Ports": {"x": 1}, "State": None})
    assert (found.name, found.state, found.labels, found.ports) == ("5", "unknown", {}, "")
    assert Details.of({"State": [], "RestartCount": "many"}) == Details()


def test_a_choice_is_by_name_and_labels() -> None:
    choice = Choice(["web-*", "DB"], ["*-old"], ["tier", "env=prod"])
    labels = {"tier": "", "env": "prod"}
    assert choice.wants("web-1", labels)
    assert choice.wants("db", labels)
    assert not choice.wants("web-old", labels)
    assert not choice.wants("cache", labels)
    assert not choice.wants("web-1", {"tier": "", "env": "test"})
    assert not choice.wants("web-1", {"env": "prod"})


def test_order_is_by_label_and_then_by_name() -> None:
    labels = {"b": {}, "A": {}, "last": {"homelab.order": "nan"}, "first": {"homelab.order": "-1"}}
    found = [container(Names=[f"/{name}"], Labels=own) for name, own in labels.items()]
    assert [one.name for one in in_order(found)] == ["first", "A", "b", "last"]


def restarted(count: int) -> list[Container]:
    return [Container("1", "web", "", "running", "", "", {}, Details(restarts=count))]


def test_restarts_count_from_when_it_was_first_seen() -> None:
    counts = RestartCounts(3_600)
    assert counts.growing(restarted(7)) == []
    assert counts.growing(restarted(7)) == []
    assert counts.growing(restarted(8)) == ["web"]
    assert counts.growing(restarted(8)) == ["web"]
    assert counts.growing(restarted(0)) == []  # started by hand
    assert counts.growing([]) == []
    assert counts.growing(restarted(9)) == []


def test_restarts_of_long_ago_are_forgotten() -> None:
    counts = RestartCounts(-1)
    assert counts.growing(restarted(1)) == []
    assert counts.growing(restarted(2)) == []


def test_a_container_that_is_being_restarted_is_in_trouble() -> None:
    assert RestartCounts(1).growing([Container("1", "web", "", "restarting", "", "", {})]) == ["web"]
