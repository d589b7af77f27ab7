-- Series of approvals: an operator's signature over some calls of one tool in one session, and
-- which of them were made. What counts is what was signed; the columns beside it only find it.

CREATE TABLE series (
    tenant_id   BLOB    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    session_id  BLOB    NOT NULL,
    server_id   BLOB    NOT NULL,
    server_name TEXT    NOT NULL,
    tool_id     BLOB    NOT NULL,
    tool_name   TEXT    NOT NULL,
    -- The request that was approved together with it, where there was one.
    approval_id BLOB,
    -- What the arguments satisfy, in canonical form.
    schema      TEXT    NOT NULL CHECK (json_valid(schema)),
    calls       INTEGER NOT NULL CHECK (calls BETWEEN 1 AND 100),
    signed      INTEGER NOT NULL,
    expires     INTEGER NOT NULL CHECK (expires > signed AND expires - signed <= 900000),
    -- The signature. No secret: only the gateway reads it, and only from here.
    token       TEXT    NOT NULL,
    reason      TEXT CHECK (length(reason) BETWEEN 1 AND 4000),
    presence    INTEGER NOT NULL CHECK (presence IN (0, 1)),
    ended       INTEGER,
    why         TEXT CHECK (length(why) BETWEEN 1 AND 63),
    ended_by    BLOB REFERENCES operator (id),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES session (tenant_id, id) ON DELETE CASCADE,
    CHECK ((ended IS NULL) = (why IS NULL)),
    CHECK (ended_by IS NULL OR ended IS NOT NULL)
) STRICT;

CREATE INDEX series_running ON series (tenant_id, session_id, tool_id) WHERE ended IS NULL;
CREATE INDEX series_due ON series (expires) WHERE ended IS NULL;
CREATE INDEX series_signed ON series (tenant_id, signed);

CREATE TRIGGER series_unchanged
BEFORE UPDATE OF tenant_id, id, operator_id, session_id, server_id, server_name, tool_id, tool_name,
    approval_id, schema, calls, signed, expires, token, reason, presence ON series
BEGIN
    SELECT raise(ABORT, 'a series does not change');
END;

CREATE TRIGGER series_ends_once
BEFORE UPDATE OF ended, why, ended_by ON series WHEN OLD.ended IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a series ends once');
END;

-- One call that a series paid for: the spent token by which its redemption is known.
CREATE TABLE series_use (
    tenant_id BLOB    NOT NULL,
    series_id BLOB    NOT NULL,
    number    INTEGER NOT NULL CHECK (number BETWEEN 1 AND 100),
    token_id  BLOB    NOT NULL UNIQUE REFERENCES redemption (token_id),
    at        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, series_id, number),
    FOREIGN KEY (tenant_id, series_id) REFERENCES series (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TRIGGER series_use_of_what_runs
BEFORE INSERT ON series_use
WHEN NOT EXISTS (SELECT 1
                   FROM series
                  WHERE tenant_id = NEW.tenant_id
                    AND id = NEW.series_id
                    AND ended IS NULL
                    AND calls >= NEW.number
                    AND expires > NEW.at)
BEGIN
    SELECT raise(ABORT, 'only a series that runs pays, and for no more than its calls');
END;

CREATE TRIGGER series_use_unchanged
BEFORE UPDATE ON series_use
BEGIN
    SELECT raise(ABORT, 'a use of a series does not change');
END;

CREATE TRIGGER series_use_kept
BEFORE DELETE ON series_use
WHEN EXISTS (SELECT 1 FROM series WHERE tenant_id = OLD.tenant_id AND id = OLD.series_id)
BEGIN
    SELECT raise(ABORT, 'a use of a series is kept');
END;

-- A session takes what was signed for it along, however it ends.
CREATE TRIGGER series_of_session
AFTER UPDATE OF ended ON session WHEN NEW.ended IS NOT NULL
BEGIN
    UPDATE series
       SET ended = NEW.ended, why = 'session_ended'
     WHERE tenant_id = NEW.tenant_id AND session_id = NEW.id AND ended IS NULL;
END;
