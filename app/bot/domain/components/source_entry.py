"""A data source in a list of them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.components.component import RenderContext
from app.bot.domain.components.fields import Label


class SourceEntry(BaseModel):
    """One data source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    label: Label = Field("", description="Name to show; empty shows the source's title")

    def name_shown(self, context: RenderContext) -> str:
        """Return the label, or the source's title. Raises UnknownSourceError."""
        return self.label or context.readings.title(self.source)
