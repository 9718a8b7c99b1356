"""The ledger's first shape: notes and watermarks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates both tables."""
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("server", sa.String(500), nullable=False),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("source", sa.String(128), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("pipeline_version", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
        sa.Column("composition", sa.String(64), nullable=False),
        sa.Column("sentences", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("declared_type", sa.String(100), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("server", "pipeline", "source", name="one_row_per_source"),
    )
    op.create_index("note_by_status", "note", ["server", "pipeline", "status", "id"])
    op.create_index("note_by_retry", "note", ["server", "pipeline", "retry_at"])
    op.create_table(
        "watermark",
        sa.Column("server", sa.String(500), primary_key=True),
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("resource_type", sa.String(64), primary_key=True),
        sa.Column("last_updated", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Drops both tables."""
    op.drop_table("watermark")
    op.drop_table("note")
