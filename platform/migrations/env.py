"""How Alembic reaches the database: on the connection that `Database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from podium.platform.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
