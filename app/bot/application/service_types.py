"""The services there are, and the model of each one's config; what they are made of is wired in main."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from app.bot.application.actions.worker import ActionWorkerConfig
from app.bot.application.collecting.collector import CollectionConfig
from app.bot.application.collecting.history_writer import HistoryConfig
from app.bot.application.publishing.publisher import PublisherConfig
from app.bot.application.runtime.heartbeat import HeartbeatConfig

SERVICE_CONFIGS: Mapping[str, type[BaseModel]] = {
    "collector": CollectionConfig,
    "publisher": PublisherConfig,
    "heartbeat": HeartbeatConfig,
    "history": HistoryConfig,
    "actions": ActionWorkerConfig,
}
"""Config models by service type: the admin's forms are made from them, as are the services."""
