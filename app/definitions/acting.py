"""Says to the database who changes rows, for the revisions that its triggers write."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.shared.database.core.connection import encode_json

_SAY = text("SELECT set_config('homelab.actor', :actor, true)")


async def act_as(database: AsyncSession, actor: WebActor) -> None:
    """From here to the end of the transaction, changes are this actor's. Call it before rows are changed."""
    said = {
        "type": actor.kind,
        "id": str(actor.user_id) if actor.user_id else "",
        "name": actor.name,
        "note": actor.note,
    }
    await database.execute(_SAY, {"actor": encode_json(said)})
