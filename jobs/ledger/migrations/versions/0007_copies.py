"""Which notes are of one text of one patient, and which summary each is named in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {"note_by_text": "text_key", "note_by_composition": "composition"}


def upgrade() -> None:
    """Adds the column, empty for what was handled before, and the two indexes."""
    op.add_column("note", sa.Column("text_key", sa.String(64), nullable=False, server_default=""))
    for name, column in _INDEXES.items():
        op.create_index(name, "note", ["server", "pipeline", column])


def downgrade() -> None:
    """Takes them away."""
    for name in _INDEXES:
        op.drop_index(name, "note")
    op.drop_column("note", "text_key")
