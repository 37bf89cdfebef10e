from __future__ import annotations

from app.bot.infrastructure.sources.docker.logs import log_lines

TIME = "2026-05-01T12:00:00.123456789Z"


def frame(stream: int, text: str) -> bytes:
    data = text.encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def test_frames_tell_the_stream() -> None:
    body = frame(1, f"{TIME} started\n") + frame(2, f"{TIME} WARN: low disk\r\n")
    assert log_lines(body) == [
        {"time": TIME, "message": "started", "level": "", "stream": "stdout"},
        {"time": TIME, "message": "WARN: low disk", "level": "warn", "stream": "stderr"},
    ]


def test_a_long_line_in_several_frames_is_one() -> None:
    body = frame(1, f"{TIME} {'a' * 10}") + frame(2, f"{TIME} between\n") + frame(1, "bcd\n")
    assert [row["message"] for row in log_lines(body)] == ["between", "a" * 10 + "bcd"]


def test_a_terminals_log_has_no_frames_and_no_colours() -> None:
    body = f"{TIME} \x1b[31mERROR\x1b[0m broken\r\n{TIME} \n{TIME} next\n".encode()
    assert [(row["message"], row["level"]) for row in log_lines(body)] == [("ERROR broken", "error"), ("next", "")]


def test_what_is_cut_or_odd_harms_nothing() -> None:
    assert log_lines(b"") == []
    assert [row["message"] for row in log_lines(frame(1, f"{TIME} whole\n") + b"\x01\0\0")] == ["whole"]
    assert [row["message"] for row in log_lines(b"\x01\0\0\0\xff\xff\xff\xffrest")] == ["rest"]
    assert log_lines(b"\xff\xfe no time\n")[0]["time"] is None
    assert len(log_lines(b"x" * 100_000)[0]["message"]) == 1_000
