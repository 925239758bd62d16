"""What alembic runs for each migration: over the connection that `postrank.warehouse.schema` passes in."""

from alembic import context

from postrank.warehouse.schema import engine_of

_connection = context.config.attributes["connection"]
_connection.autocommit = False
try:
    with engine_of(_connection).connect() as opened:
        context.configure(connection=opened, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        opened.commit()
finally:
    _connection.rollback()
    _connection.autocommit = True
