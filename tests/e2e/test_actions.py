"""Actions from click to answer: forms, questions, progress, output, and what a hostile user types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from simcord.results import InteractionResult, ResponseMessage

from tests.e2e.lab import Lab, answer_of, components_of, heading, text_of
from tests.support import factories
from tests.support.local_servers import http_server, raw_server
from tests.support.waiting import until

UPDATE_MESSAGE = 7
"""Callback type (documentation, interactions, receiving and responding)."""


@dataclass
class Api:
    """A service that remembers what it was asked."""

    address: str = ""
    paths: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: str = "all is well"

    async def handle(self, request: web.Request) -> web.Response:
        self.paths.append(request.raw_path)
        self.bodies.append(await request.text())
        self.headers.append(dict(request.headers))
        return web.Response(text=self.answer)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    async with http_server(made.handle) as address:
        made.address = address
        yield made


def parameter(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def run_button(**config: Any) -> dict[str, Any]:
    return {
        "type": "buttons",
        "config": {"buttons": [{"label": "Run", "do": "action", "action": "call", **config}]},
    }


async def call_action(lab: Lab, api: Api, **config: Any) -> None:
    base = {"url": f"{api.address}/run", "body": {"said": "${params.text}"}, "parameters": [parameter("text")]}
    await factories.action(lab.owner, name="call", title="Call the API", type="http_request", config={**base, **config})


async def submit(lab: Lab, result: InteractionResult, **values: Any) -> InteractionResult:
    assert result.modal is not None, "a form was expected"
    return await lab.ada.submit_modal(result, values)


async def test_a_form_asks_for_what_the_button_does_not_set(lab: Lab, api: Api) -> None:
    wanted = [
        parameter("text", title="Text", description="What to say"),
        parameter("loud", type="boolean", default=False),
        parameter("times", type="integer", min=1, max=3, default=1),
        parameter("room", type="choice", choices=[{"value": "r1", "label": "Rack"}, {"value": "r2", "label": "Desk"}]),
    ]
    body = {name: f"${{params.{name}}}" for name in ("text", "loud", "times", "room")}
    await call_action(lab, api, parameters=wanted, body=body)
    await lab.dashboard(heading("Lab"), run_button(parameters={"times": 2}))
    message = await lab.until_shown("Lab")

    asked = await lab.ada.click(message, label="Run")
    assert asked.modal is not None
    assert [part["label"] for part in asked.modal["components"]] == ["Text", "loud", "room"]
    answer = await lab.until_over(await submit(lab, asked, text="hello", loud=["true"], room=["r2"]))

    assert json.loads(api.bodies[0]) == {"text": "hello", "loud": True, "times": 2, "room": "r2"}
    assert "The server answered 200 OK" in text_of(answer)
    assert "all is well" in text_of(answer)
    (run,) = await lab.runs()
    assert run["parameters"] == {"text": "hello", "loud": True, "times": 2, "room": "r2"}
    assert (run["state"], run["output"], run["sealed"]) == ("done", "all is well", None)


@pytest.mark.parametrize(
    "typed",
    [
        "; rm -rf /",
        "$(reboot)",
        "${secret:token}",
        "${params.text}",
        "a/../b?c=d#e",
        '","said":"x',
        "`id`",
        "{{ 7*7 }}",
    ],
)
async def test_what_a_user_types_is_text_and_nothing_else(lab: Lab, api: Api, typed: str) -> None:
    await factories.secret(lab.owner, lab.box, "the-real-token", name="token")
    await call_action(lab, api, url=f"{api.address}/run/${{params.text}}", headers={"X-Key": "${secret:token}"})
    await lab.dashboard(heading("Lab"), run_button())
    message = await lab.until_shown("Lab")

    await lab.until_over(await submit(lab, await lab.ada.click(message, label="Run"), text=typed))

    assert json.loads(api.bodies[0]) == {"said": typed}
    assert api.paths[0].count("/") == 2, "it stays one part of the path"
    assert "the-real-token" not in api.paths[0] + api.bodies[0]
    assert api.headers[0]["X-Key"] == "the-real-token"


async def test_a_wrong_value_is_refused_with_its_reason(lab: Lab, api: Api) -> None:
    await call_action(lab, api, parameters=[parameter("text", pattern="[a-z]+", description="Small letters")])
    await lab.dashboard(heading("Lab"), run_button())
    message = await lab.until_shown("Lab")

    answer = await lab.until_over(await submit(lab, await lab.ada.click(message, label="Run"), text="NO"))

    assert "does not have the form that is wanted \\(Small letters\\)" in text_of(answer)
    assert api.paths == []
    assert [run["state"] for run in await lab.runs()] == ["refused"]


async def test_a_question_comes_first_and_no_means_no(lab: Lab, api: Api) -> None:
    await call_action(lab, api, confirm="Say “${params.text}”?")
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "**boo**"}))
    message = await lab.until_shown("Lab")

    question = await lab.ada.click(message, label="Run")
    asked = answer_of(question)
    assert "Say “\\*\\*boo\\*\\*”?" in text_of(asked)
    assert api.paths == []
    said_no = await lab.ada.click(asked, label="No")
    assert said_no.acknowledged
    assert "Nothing was done" in text_of(answer_of(question))
    again = answer_of(await lab.ada.click(message, label="Run"))
    confirmed = await lab.ada.click(again, label="Yes, do it")

    async def done() -> bool:
        return [run["state"] for run in await lab.runs()] == ["refused", "done"]

    await until(done, "the confirmed run to end")
    assert confirmed.acknowledged
    assert json.loads(api.bodies[0]) == {"said": "**boo**"}
    assert lab.client.statistics.clicks == 4, "each button once, also those that answer the question"


async def test_a_question_is_answered_after_a_restart_but_only_once(lab: Lab, api: Api) -> None:
    await call_action(lab, api, confirm="Sure?")
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "x"}))
    message = await lab.until_shown("Lab")
    question = await lab.ada.click(message, label="Run")
    await lab.restart()
    await until(lab.client.is_ready, "the bot")

    async def confirmed() -> bool:
        if "Sure?" in text_of(answer_of(question)):
            await lab.ada.click(answer_of(question), label="Yes, do it")
        return bool(api.paths)

    await until(confirmed, "the run that was confirmed after the restart")

    async def done() -> bool:
        return [run["state"] for run in await lab.runs()] == ["done"]

    await until(done, "the run to end")
    assert len(api.paths) == 1


async def test_secret_values_are_masked_and_sealed(lab: Lab, api: Api) -> None:
    await call_action(lab, api, parameters=[parameter("text", secret=True)], confirm="Send ${params.text}?")
    await lab.dashboard(heading("Lab"), run_button())
    message = await lab.until_shown("Lab")
    asked = await submit(lab, await lab.ada.click(message, label="Run"), text="pa55word-of-mine")
    assert "Send •••?" in text_of(answer_of(asked))
    (waiting,) = await lab.runs()
    assert waiting["parameters"] == {"text": "•••"}
    assert b"pa55word" not in waiting["sealed"]

    await lab.ada.click(answer_of(asked), label="Yes, do it")

    await until(lambda: api.bodies, "the run")
    assert json.loads(api.bodies[0]) == {"said": "pa55word-of-mine"}

    async def forgotten() -> bool:
        (run,) = await lab.runs()
        return run["state"] == "done" and run["sealed"] is None

    await until(forgotten, "the value to be forgotten")


async def test_long_output_comes_as_a_file(lab: Lab, api: Api) -> None:
    api.answer = "\n".join(f"line {number}" for number in range(2_000))
    await call_action(lab, api)
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "x"}))
    message = await lab.until_shown("Lab")

    answer = await lab.until_over(await lab.ada.click(message, label="Run"))

    (attachment,) = answer.attachments
    assert attachment.filename == "answer.txt"
    assert (await attachment.read()).decode() == api.answer
    assert "line 7" not in text_of(answer)


async def test_a_drop_down_gives_a_value_from_a_source(lab: Lab, api: Api) -> None:
    items = {"rooms": [{"name": "r1", "label": "Rack"}, {"name": "r2", "label": "Desk"}]}
    await lab.source(name="house", type="static", config={"items": items})
    await call_action(lab, api)
    choices = {"source": "house", "items": "rooms", "label": "label"}
    config = {"action": "call", "parameter": "text", "choices_from": choices}
    await lab.dashboard(heading("Lab"), {"type": "action_select", "config": config})
    message = await lab.until_shown("Lab")

    def shown() -> list[dict[str, Any]]:
        found = next((part for part in components_of(lab.messages()[0]) if part.get("options")), None)
        return found["options"] if found else []

    options = await until(shown, "the choices")
    assert [option["label"] for option in options] == ["Rack", "Desk"]
    message = lab.messages()[0]
    for number in (1, 2):  # the message is drawn again, so the same choice can be made again
        chosen = await lab.ada.select(message, [options[1]["value"]])
        assert [part["type"] for part in (lab.requests("POST", "/callback")[-1].json,) if part] == [UPDATE_MESSAGE]
        (answer,) = chosen.followups

        def over(answer: ResponseMessage = answer) -> bool:
            return "200 OK" in text_of(answer)

        await until(over, "the run to end")
        assert answer.ephemeral
        assert len(api.bodies) == number

    assert json.loads(api.bodies[0]) == {"said": "r2"}
    assert [run["origin"] for run in await lab.runs()] == ["select", "select"]
    assert len(lab.messages()) == 1
    await lab.owner.execute("UPDATE actions SET config = config || '{\"cooldown_seconds\": 60}'")

    async def refused() -> bool:
        (answer,) = (await lab.ada.select(message, [options[1]["value"]])).followups
        return "It ran just now" in text_of(answer)

    await until(refused, "the cooldown to be said")


async def test_values_of_a_button_come_from_the_row_as_it_is_now(lab: Lab, api: Api) -> None:
    await call_action(lab, api)
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "first"}))
    message = await lab.until_shown("Lab")
    old = next(part["custom_id"] for part in components_of(message) if part.get("custom_id"))
    assert "first" not in old
    lab.env.inject_error("PATCH", f"/channels/{lab.channel.id}/messages/*", times=None)
    await lab.owner.execute(
        "UPDATE dashboard_components SET config = $1 WHERE type = 'buttons'",
        run_button(parameters={"text": "second"})["config"],
    )

    async def refused() -> bool:
        return "was changed meanwhile" in text_of(await lab.until_over(await lab.ada.click(message, label="Run")))

    await until(refused, "the old button to be refused")
    assert all("second" not in body for body in api.bodies)


async def test_two_at_once_are_refused_unless_the_key_differs(lab: Lab, api: Api) -> None:
    await call_action(lab, api, concurrency_key="room ${params.text}")
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "a"}))
    message = await lab.until_shown("Lab")
    await factories.action_run(lab.owner, action="other", state="running", concurrency_key="room a")

    answer = await lab.until_over(await lab.ada.click(message, label="Run"))

    assert "It is running already" in text_of(answer)
    await lab.owner.execute("UPDATE action_runs SET concurrency_key = 'room b'")
    answer = await lab.until_over(await lab.ada.click(message, label="Run"))
    assert "200 OK" in text_of(answer)


async def test_a_run_that_takes_too_long_is_broken_off(lab: Lab, api: Api) -> None:
    async with raw_server(None) as address:
        await call_action(lab, api, url=address, timeout_seconds=1)
        await lab.dashboard(heading("Lab"), run_button(parameters={"text": "a"}))
        message = await lab.until_shown("Lab")

        answer = await lab.until_over(await lab.ada.click(message, label="Run"))

    assert "was broken off" in text_of(answer)
    assert [run["state"] for run in await lab.runs()] == ["timed_out"]


async def test_a_slash_command_has_the_parameters_as_options(lab: Lab, api: Api) -> None:
    items = {"rooms": [{"name": "r1", "label": "Rack"}, {"name": "r2", "label": "Desk"}]}
    await lab.source(name="house", type="static", config={"items": items})
    choices_from = {"source": "house", "items": "rooms", "label": "label"}
    wanted = [
        parameter("times", type="integer", default=1),
        parameter("room", type="choice", choices_from=choices_from),
        parameter("text"),
    ]
    body = {name: f"${{params.{name}}}" for name in ("text", "times", "room")}
    await call_action(lab, api, parameters=wanted, body=body, confirm="Say ${params.text} in ${params.room}?")
    config = {"action": "call", "parameters": {"text": "set"}}
    await factories.command(lab.owner, name="say", type="run_action", description="Says it", config=config)
    await lab.until_synced("dashboard", "status", "sources", "say")

    async def offered() -> list[str]:
        return [choice["value"] for choice in await lab.ada.autocomplete(lab.channel, "say", "room", "de")]

    await until(offered, "the choices")
    assert await offered() == ["r2"]
    asked = await lab.ada.slash(lab.channel, "say", room="Desk")
    assert "Say set in r2?" in text_of(answer_of(asked))
    await lab.ada.click(answer_of(asked), label="Yes, do it")

    await until(lambda: api.bodies, "the run")
    assert json.loads(api.bodies[0]) == {"text": "set", "times": 1, "room": "r2"}
    assert [run["origin"] for run in await lab.runs()] == ["command"]
    refused = await lab.alice.slash(lab.channel, "say", room="r1")
    assert "You may not do this" in text_of(answer_of(refused))
    assert (lab.client.statistics.commands, lab.client.statistics.clicks) == (2, 1), (
        "completing an option is no command"
    )


async def test_a_command_of_an_action_that_is_not_there_comes_with_it(lab: Lab, api: Api) -> None:
    await factories.command(lab.owner, name="say", type="run_action", description="x", config={"action": "call"})
    await call_action(lab, api)
    await lab.until_synced("dashboard", "status", "sources", "say")


async def test_an_action_of_other_servers_is_neither_run_nor_completed_here(lab: Lab, api: Api) -> None:
    wanted = [parameter("text", type="choice", choices=[{"value": "a"}])]
    await call_action(lab, api, servers=["123456789012345678"], parameters=wanted)
    await factories.command(lab.owner, name="say", type="run_action", description="x", config={"action": "call"})
    await lab.until_synced("dashboard", "status", "sources", "say")

    assert await lab.ada.autocomplete(lab.channel, "say", "text", "") == []
    refused = await lab.ada.slash(lab.channel, "say", text="a")
    assert "belongs to another server" in text_of(answer_of(refused))
    assert [run["state"] for run in await lab.runs()] == ["refused"]


async def test_a_stop_in_the_middle_reaches_the_user(lab: Lab, api: Api) -> None:
    async with raw_server(None) as address:
        await call_action(lab, api, url=address)
        await lab.dashboard(heading("Lab"), run_button(parameters={"text": "a"}))
        message = await lab.until_shown("Lab")
        result = await lab.ada.click(message, label="Run")

        async def begun() -> bool:
            return [run["state"] for run in await lab.runs()] == ["running"]

        await until(begun, "the run to begin")
        await lab.stop_bot()

    assert "The bot was stopped while this ran" in text_of(answer_of(result))
    assert [run["state"] for run in await lab.runs()] == ["lost"]


async def test_what_could_not_be_said_is_said_after_a_restart(lab: Lab, api: Api) -> None:
    await call_action(lab, api)
    await lab.dashboard(heading("Lab"), run_button(parameters={"text": "a"}))
    message = await lab.until_shown("Lab")
    lab.env.inject_error("PATCH", "/webhooks/*", status=403, times=1)
    result = await lab.ada.click(message, label="Run")

    async def done() -> bool:
        return [run["state"] for run in await lab.runs()] == ["done"]

    await until(done, "the run to end")
    await lab.stop_bot()
    await lab.owner.execute("UPDATE action_runs SET finished_at = now() - interval '10 seconds'")
    await lab.start_bot()

    assert "200 OK" in text_of(await lab.until_over(result))
