"""Alembic's entry: runs migrations on a connection, or writes them down as PostgreSQL's SQL."""

from __future__ import annotations

from alembic import context

from core.store.tables import metadata

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # others would double every per cent sign
        literal_binds=True,
        transactional_ddl=False,  # whoever runs the SQL begins and commits
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
    )
with context.begin_transaction():
    context.run_migrations()
