"""Walks over all rows in their order take as long for a page of a large ledger as for one of a small one."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    op.create_index("note_by_row", "note", ["server", "pipeline", "id"])


def downgrade() -> None:
    """Takes it away."""
    op.drop_index("note_by_row", "note")
