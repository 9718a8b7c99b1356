"""Leases for processes that share the work; when a walk saw a note last; failures tried without end."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds them; a failure that the version before had given up is due again."""
    op.create_table(
        "lease",
        sa.Column("server", sa.String(500), primary_key=True),
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("lease_by_holder", "lease", ["server", "pipeline", "holder"])
    op.add_column("note", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("note_by_walk", "note", ["server", "pipeline", "seen_at", "id"])
    note = sa.table(
        "note",
        sa.column("status", sa.String),
        sa.column("source", sa.String),
        sa.column("retry_at", sa.DateTime(timezone=True)),
    )
    op.execute(
        note.update()
        .where(note.c.status == "failed", note.c.retry_at.is_(None), note.c.source.contains("/"))
        .values(retry_at=datetime.now(UTC))
    )


def downgrade() -> None:
    """Takes them away; what is due stays due."""
    op.drop_index("note_by_walk", "note")
    op.drop_column("note", "seen_at")
    op.drop_table("lease")
