"""Countdown, time, note, gallery and weather."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Gallery, Image, Text
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import down, metrics, render, text


class TestCountdown:
    def test_discord_counts_by_itself(self) -> None:
        shown = text("countdown", {"title": "New year", "at": "2027-01-01T00:00+01:00"})
        assert shown == "**New year**\n## <t:1798758000:R>\n-# <t:1798758000:F>"

    def test_the_time_may_come_from_a_metric(self) -> None:
        config = {"source": "backup", "metric": "next", "date": False}
        assert text("countdown", config, backup=metrics(Metric("next", 1777640400.0))) == "## <t:1777640400:R>"
        assert text("countdown", config, backup=down()) == "no data"

    def test_what_has_passed_can_say_so(self) -> None:
        config = {"at": "2026-01-01", "past": "It is done"}
        assert text("countdown", config) == "It is done"
        assert "<t:" in text("countdown", {"at": "2026-01-01"})

    @pytest.mark.parametrize("at", ["soon", "{{ 'x' }}", "1e400", "99999999999999999999"])
    def test_what_is_no_time_is_named(self, at: str) -> None:
        with pytest.raises(InvalidConfigError, match=r"at: .* is no time"):
            text("countdown", {"at": at})

    @pytest.mark.parametrize("config", [{}, {"at": "2027-01-01", "source": "x", "metric": "y"}, {"source": "x"}])
    def test_there_is_one_time(self, config: dict[str, Any]) -> None:
        with pytest.raises(InvalidConfigError, match="fill in"):
            text("countdown", config)


STYLES = {"time": "t", "date": "D", "both": "f", "full": "F", "relative": "R"}


@pytest.mark.parametrize(("style", "letter"), STYLES.items())
def test_a_time_in_discords_styles(style: str, letter: str) -> None:
    assert text("time", {"title": "Then", "at": "1777640400", "style": style}) == f"**Then** <t:1777640400:{letter}>"


def test_a_note_is_shown_as_it_is_written() -> None:
    assert text("note", {"text": "**Wi-Fi** `{{ guest }}` {% 1 %}"}) == "**Wi-Fi** `{{ guest }}` {% 1 %}"
    assert render("note", {"text": "  "}) == ()


class TestGallery:
    def test_fixed_pictures(self) -> None:
        config = {"title": "Cats", "images": [{"url": "https://a.org/{{ dashboard.name }}.png", "caption": "A cat"}]}
        assert render("gallery", config) == (Text("**Cats**"), Gallery((Image("https://a.org/Lab.png", "A cat"),)))

    def test_pictures_of_items_without_the_unusable(self) -> None:
        items = [{"image": "http://a.org/no.png"}, {"image": "https://a.org/1.png", "title": "One"}, {"image": None}]
        config = {"source": "cams", "items": "shots"}
        assert render("gallery", config, cams=metrics(shots=items)) == (
            Gallery((Image("https://a.org/1.png", "One"),)),
        )
        assert render("gallery", config, cams=metrics()) == (Text("-# No pictures"),)

    def test_a_wrong_address_is_named(self) -> None:
        with pytest.raises(InvalidConfigError, match=r"images\.0\.url: "):
            render("gallery", {"images": [{"url": "ftp://a.org/x"}]})


class TestWeather:
    def test_now_and_the_next_days(self) -> None:
        reading = metrics(
            Metric("temperature", 21.4, "celsius"),
            Metric("weather_code", 61.0),
            Metric("humidity", 48.0, "percent"),
            daily=[
                {"date": "2026-05-01", "minimum": 12.1, "maximum": 22, "code": 3, "precipitation": 0},
                {"date": "2026-05-02", "minimum": 9, "maximum": 17.6, "code": 95, "precipitation": 4.2},
                {"date": "later", "minimum": 9},
            ],
        )
        assert text("weather", {"source": "sky", "title": "Berlin"}, sky=reading).splitlines() == [
            "**Berlin**",
            "## 🌦️ 21 °C · Light rain",
            "-# 💧 48 %",
            "☁️ **Today** 12 °C – 22 °C",
            "⛈️ **Sat** 9 °C – 18 °C · ☔ 4.2 mm",
        ]

    def test_an_unknown_code_and_missing_values(self) -> None:
        reading = metrics(Metric("weather_code", 12345.0), daily=[{"date": "2026-05-01", "code": None}])
        assert text("weather", {"source": "sky"}, sky=reading).splitlines() == [
            "## 🌡️ no data",
            "🌡️ **Today** no data – no data",
        ]

    def test_no_forecast(self) -> None:
        assert "Connection refused" in text("weather", {"source": "sky"}, sky=down())
