"""How a user runs an action: a form where something is to be entered, a question where it is to be confirmed."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import structlog

from app.bot.application.actions.answers import GREY, waiting_view
from app.bot.application.actions.authorizer import AuthorizedCall
from app.bot.application.actions.interactions import Click, Interactions
from app.bot.application.actions.requests import Actions, Confirmation, Started
from app.bot.application.rendering.answers import RED, card, notice
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.runs import Origin, ReplyAddress
from app.bot.domain.blocks.block import Button, Buttons, ButtonStyle, Text, View
from app.bot.domain.blocks.custom_id import CustomId, custom_id_text
from app.bot.domain.components.types.action_select import ACTION_SELECT_VERB
from app.bot.domain.components.types.buttons import ACTION_VERB
from app.bot.domain.formatting.markdown import escape_markdown
from app.bot.domain.guilds import Actor
from app.bot.interface.actors import actor_of
from app.bot.interface.modals import entered, to_modal
from app.bot.interface.replies import Replies, sentence_of

log = structlog.get_logger(__name__)

CONFIRM_VERB, DECLINE_VERB, FORM_VERB = "confirm", "decline", "form"
ACTION_VERBS = frozenset({ACTION_VERB, ACTION_SELECT_VERB, CONFIRM_VERB, DECLINE_VERB})
_NO_COMPONENT = 0
"""Stands for the component in custom_ids of what no dashboard has."""


class ActionReplies:
    """Turns clicks, choices and forms into runs. Whoever asks sees the run in an answer of their own."""

    def __init__(self, interactions: Interactions, actions: Actions, replies: Replies) -> None:
        self._interactions = interactions
        self._actions = actions
        self._replies = replies

    async def click(self, interaction: discord.Interaction[Any], click: Click) -> None:
        """Answer a click on a button or a choice that runs an action, or on the answer to a question."""
        await self._guarded(interaction, self._click(interaction, click))

    async def submitted(self, interaction: discord.Interaction[Any], click: Click) -> None:
        """Answer a form that came back."""
        await self._guarded(interaction, self._submitted(interaction, click))

    async def start(
        self, interaction: discord.Interaction[Any], call: ActionCall, origin: Origin = Origin.COMMAND
    ) -> None:
        """Run an action for a slash command; a form asks for what is required and not set."""
        await self._guarded(interaction, self._begin(interaction, call, actor_of(interaction), origin, _NO_COMPONENT))

    async def _click(self, interaction: discord.Interaction[Any], click: Click) -> None:
        match click.custom_id:
            case CustomId(verb="confirm", argument=argument):
                await self._confirmed(interaction, int(argument), click.actor)
            case CustomId(verb="decline", argument=argument):
                await self._declined(interaction, int(argument), click.actor)
            case CustomId(component=component, argument=argument):
                key = click.values[0] if click.values else argument
                call, origin = self._interactions.action_of(click, key)
                choice = click if click.values else None
                await self._begin(interaction, call, click.actor, origin, component, choice=choice)

    async def _begin(
        self,
        interaction: discord.Interaction[Any],
        call: ActionCall,
        actor: Actor,
        origin: Origin,
        component: int,
        *,
        choice: Click | None = None,
    ) -> None:
        asked = await self._actions.authorize(call, actor, origin)
        form = self._actions.form(asked, optional=component != _NO_COMPONENT)
        if form is None:
            if choice is not None and (answer := await self._interactions.redrawn(choice)) is not None:
                await self._replies.redraw(interaction, answer)
            await self._run(interaction, asked)
        else:
            modal = to_modal(form, custom_id_text(component, FORM_VERB, call.key))
            await interaction.response.send_modal(modal)

    async def _submitted(self, interaction: discord.Interaction[Any], click: Click) -> None:
        key = click.custom_id.argument
        if click.custom_id.component == _NO_COMPONENT:
            call, origin = ActionCall(key), Origin.COMMAND
        else:
            call, origin = self._interactions.action_of(click, key)
        values = {**entered(interaction.data), **call.parameters}  # what is set beforehand is not the user's to choose
        asked = await self._actions.authorize(replace(call, parameters=values), click.actor, origin)
        await self._run(interaction, asked)

    async def _run(self, interaction: discord.Interaction[Any], asked: AuthorizedCall) -> None:
        if asked.settings.confirm:
            await self._replies.command(interaction, self._question(asked))
            return
        layout = self._replies.layout(waiting_view(asked.definition.label))
        reply = _reply(interaction)
        if interaction.response.is_done():
            message = await interaction.followup.send(view=layout, ephemeral=True, wait=True)
            reply = replace(reply, message=str(message.id))
        else:
            await interaction.response.send_message(view=layout, ephemeral=True)
        await self._started(interaction, self._actions.request(asked, reply), reply)

    async def _question(self, asked: AuthorizedCall) -> View:
        return question_view(await self._actions.ask(asked))

    async def _confirmed(self, interaction: discord.Interaction[Any], run_id: int, actor: Actor) -> None:
        self._actions.check_ready()
        title = await self._actions.title_of_run(run_id)
        await interaction.response.edit_message(view=self._replies.layout(waiting_view(title)))
        await self._started(interaction, self._actions.confirm(run_id, actor, _reply(interaction)), _reply(interaction))

    async def _declined(self, interaction: discord.Interaction[Any], run_id: int, actor: Actor) -> None:
        await interaction.response.edit_message(view=self._replies.layout(notice("Nothing was done.", GREY)))
        await self._actions.decline(run_id, actor)

    async def _started(
        self, interaction: discord.Interaction[Any], asking: Awaitable[Started], reply: ReplyAddress
    ) -> None:
        """Ask for the run, whose answer is shown already: the worker may be done before this goes on."""
        reason = ""
        try:
            await asking
        except Exception as error:  # noqa: BLE001  # the waiting answer must not stand for ever
            reason = sentence_of(error)
        if not reason:
            return
        layout = self._replies.layout(notice(f"⛔ {escape_markdown(reason)}", RED))
        if reply.message.isdecimal():
            await interaction.followup.edit_message(int(reply.message), view=layout)
        else:
            await interaction.edit_original_response(view=layout)

    async def _guarded(self, interaction: discord.Interaction[Any], work: Awaitable[None]) -> None:
        """Turn errors into sentences: the edge of an answer."""
        try:
            await work
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("an action's interaction could not be answered", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # the guarded edge of every interaction
            await self._replies.failure(interaction, sentence_of(error))


def question_view(asked: Confirmation) -> View:
    """Return the question with its two buttons; each names the run that waits."""
    icon = f"{asked.icon} " if asked.icon else ""
    text = Text(f"{icon}**{escape_markdown(asked.title)}**\n{escape_markdown(asked.question)}")
    argument = str(asked.run_id)
    yes = Button("Yes, do it", custom_id=custom_id_text(_NO_COMPONENT, CONFIRM_VERB, argument), style=asked.style)
    no = Button("No", custom_id=custom_id_text(_NO_COMPONENT, DECLINE_VERB, argument), style=ButtonStyle.SECONDARY)
    return card((text, Buttons((yes, no))), RED if asked.style is ButtonStyle.DANGER else None)


def _reply(interaction: discord.Interaction[Any]) -> ReplyAddress:
    return ReplyAddress(interaction.application_id, interaction.token)
