"""The services that there are, and the model of each one's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.bot.application.actions.worker import ActionWorker
from app.bot.application.collecting.collector import Collector
from app.bot.application.collecting.history_writer import HistoryWriter
from app.bot.application.publishing.publisher import Publisher
from app.bot.application.runtime.heartbeat import Heartbeat
from app.bot.application.runtime.service import Service

SERVICES: tuple[type[Service[Any]], ...] = (Collector, Publisher, Heartbeat, HistoryWriter, ActionWorker)
SERVICE_CONFIGS: Mapping[str, type[BaseModel]] = {service.name: service.config_model for service in SERVICES}
"""Config models by service type: the admin's forms are made from them."""
