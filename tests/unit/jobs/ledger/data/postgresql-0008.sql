-- The ledger as revision 0007 left it, on PostgreSQL.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('0008');
CREATE TABLE note (
    id BIGSERIAL NOT NULL,
    server VARCHAR(500) NOT NULL,
    pipeline VARCHAR(64) NOT NULL,
    source VARCHAR(128) NOT NULL,
    version VARCHAR(64) NOT NULL,
    pipeline_version VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    reason VARCHAR(32) NOT NULL,
    detail VARCHAR(200) NOT NULL,
    composition VARCHAR(64) NOT NULL,
    sentences INTEGER NOT NULL,
    text_sha256 VARCHAR(64) NOT NULL,
    text_key VARCHAR(64) DEFAULT '' NOT NULL,
    declared_type VARCHAR(100) NOT NULL,
    media_type VARCHAR(100) NOT NULL,
    milliseconds INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    handled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    retry_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT one_row_per_source UNIQUE (server, pipeline, source)
);
CREATE INDEX note_by_composition ON note (server, pipeline, composition);
CREATE INDEX note_by_text ON note (server, pipeline, text_key);
CREATE INDEX note_by_reason_and_time ON note (server, pipeline, status, reason, handled_at, id);
CREATE INDEX note_by_retry ON note (server, pipeline, retry_at);
CREATE INDEX note_by_status ON note (server, pipeline, status, id);
CREATE INDEX note_by_status_and_time ON note (server, pipeline, status, handled_at, id);
CREATE INDEX note_by_time ON note (server, pipeline, handled_at, id, status);
CREATE INDEX note_by_walk ON note (server, pipeline, seen_at, id);
CREATE TABLE lease (
    server VARCHAR(500) NOT NULL,
    pipeline VARCHAR(64) NOT NULL,
    source VARCHAR(128) NOT NULL,
    holder VARCHAR(32) NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (server, pipeline, source)
);
CREATE INDEX lease_by_holder ON lease (server, pipeline, holder);
CREATE TABLE watermark (
    server VARCHAR(500) NOT NULL,
    pipeline VARCHAR(64) NOT NULL,
    resource_type VARCHAR(64) NOT NULL,
    last_updated VARCHAR(64) NOT NULL,
    PRIMARY KEY (server, pipeline, resource_type)
);
CREATE TABLE backfill (
    server VARCHAR(500) NOT NULL,
    pipeline VARCHAR(64) NOT NULL,
    walk VARCHAR(64) NOT NULL,
    piece VARCHAR(64) NOT NULL,
    place VARCHAR(2000) NOT NULL,
    finished BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (server, pipeline, walk, piece)
);
CREATE TABLE card (
    server VARCHAR(500) NOT NULL,
    pipeline VARCHAR(64) NOT NULL,
    uuid VARCHAR(36) NOT NULL,
    compositions VARCHAR(500) NOT NULL,
    shown_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    reason VARCHAR(64) NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (server, pipeline, uuid)
);
CREATE TABLE ended_session (
    session_sha256 VARCHAR(64) NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (session_sha256)
);
CREATE TABLE launch (
    name_sha256 VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    sealed BYTEA NOT NULL,
    serial INTEGER NOT NULL,
    reserved_until TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name_sha256)
);
CREATE INDEX launch_by_kind ON launch (kind, until);
INSERT INTO note (server, pipeline, source, version, status, reason, detail, composition, sentences, text_sha256, declared_type, media_type, milliseconds, attempts, pipeline_version, handled_at, retry_at)
VALUES ('http://a/fhir', 'extractive', 'DocumentReference/a', '1', 'written', '', '', '9b0e1d52-0c0f-5d1b-8f37-6f5b5b0c9a11', 3, '0000000000000000000000000000000000000000000000000000000000000000', 'text/plain', 'text/plain', 12, 0, '0123456789ab', '2026-03-01 08:00:00.000000+00:00', NULL);
INSERT INTO note (server, pipeline, source, version, status, reason, detail, composition, sentences, text_sha256, declared_type, media_type, milliseconds, attempts, pipeline_version, handled_at, retry_at)
VALUES ('http://a/fhir', 'extractive', 'DiagnosticReport/b', '2', 'failed', 'timeout', 'read', '', 0, '', 'application/pdf', '', 0, 3, '0123456789ab', '2026-03-01 08:00:00.000000+00:00', '2026-03-01 08:04:00.000000+00:00');
INSERT INTO watermark (server, pipeline, resource_type, last_updated)
VALUES ('http://a/fhir', 'extractive', 'DocumentReference', '2026-03-01T07:59:58.123+00:00');
