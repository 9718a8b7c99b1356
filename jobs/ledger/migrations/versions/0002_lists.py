"""Indexes for those who look through the notes: by time, by status, by reason."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXES = {
    "note_by_time": ["handled_at", "id", "status"],
    "note_by_status_and_time": ["status", "handled_at", "id"],
    "note_by_reason_and_time": ["status", "reason", "handled_at", "id"],
}


def upgrade() -> None:
    """Creates them."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "note", ["server", "pipeline", *columns])


def downgrade() -> None:
    """Drops them."""
    for name in _INDEXES:
        op.drop_index(name, "note")
