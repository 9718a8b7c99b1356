"""How far a backfill is, so that one that was stopped or killed goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "backfill",
        sa.Column("server", sa.String(500), primary_key=True),
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("walk", sa.String(64), primary_key=True),
        sa.Column("piece", sa.String(64), primary_key=True),
        sa.Column("place", sa.String(2000), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Takes it away: a backfill under way begins anew, and finds what is done in the ledger."""
    op.drop_table("backfill")
