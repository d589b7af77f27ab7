-- What rules found in the log, how far they have looked, and how tenants have set them.

-- Nothing in it is judged by. A rule that goes leaves its alerts here.
CREATE TABLE alert (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- None for what concerns the whole installation.
    tenant_id       BLOB REFERENCES tenant (id) ON DELETE CASCADE,
    rule            TEXT    NOT NULL CHECK (length(rule) BETWEEN 1 AND 40),
    -- What it is about. The same rule about the same again is the same alert, for a while.
    subject         TEXT    NOT NULL CHECK (length(subject) <= 1000),
    sentence        TEXT    NOT NULL,
    agent_id        BLOB,
    agent_name      TEXT,
    session_id      BLOB,
    credential_id   BLOB,
    correlation_id  BLOB,
    -- The first of the events that it was found by, as a JSON array of numbers.
    events          TEXT    NOT NULL CHECK (json_valid(events)),
    count           INTEGER NOT NULL CHECK (count > 0),
    first           INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    -- Since when what it told of is over, if it is.
    over            INTEGER,
    -- Whether what it is about is to be cut off, or was.
    contain         TEXT    NOT NULL CHECK (contain IN ('done', 'due', 'no')),
    acknowledged_at INTEGER,
    acknowledged_by TEXT CHECK (acknowledged_by IS NULL OR json_valid(acknowledged_by)),
    note            TEXT,
    CHECK ((agent_id IS NULL) = (agent_name IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (note IS NULL))
) STRICT;

CREATE INDEX alert_open ON alert (rule, subject, last) WHERE acknowledged_at IS NULL;
CREATE INDEX alert_last ON alert (last);
CREATE INDEX alert_tenant ON alert (tenant_id) WHERE tenant_id IS NOT NULL;
CREATE INDEX alert_due ON alert (contain) WHERE contain = 'due';

CREATE TRIGGER alert_unchanged
BEFORE UPDATE OF id, tenant_id, rule, subject, sentence, agent_id, session_id, credential_id,
    correlation_id, first ON alert
BEGIN
    SELECT raise(ABORT, 'what was found does not change');
END;

CREATE TRIGGER alert_acknowledged_once
BEFORE UPDATE OF acknowledged_at, acknowledged_by, note ON alert
WHEN OLD.acknowledged_at IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'an alert is acknowledged once');
END;

-- What a rule finds only once of anything, such as of one credential.
CREATE TABLE alert_once (
    tenant_id BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    rule      TEXT NOT NULL,
    what      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, rule, what)
) STRICT, WITHOUT ROWID;

-- Rules that are not as they come. What is absent is as it comes.
CREATE TABLE alert_rule (
    id          INTEGER NOT NULL PRIMARY KEY,
    -- None for a rule about the whole installation.
    tenant_id   BLOB REFERENCES tenant (id) ON DELETE CASCADE,
    rule        TEXT    NOT NULL CHECK (length(rule) BETWEEN 1 AND 40),
    threshold   INTEGER CHECK (threshold > 0),
    window_secs INTEGER CHECK (window_secs > 0),
    repeat_secs INTEGER CHECK (repeat_secs > 0),
    contain     INTEGER NOT NULL CHECK (contain IN (0, 1)),
    muted_until INTEGER,
    mute_reason TEXT,
    CHECK ((muted_until IS NULL) = (mute_reason IS NULL))
) STRICT;

CREATE UNIQUE INDEX alert_rule_of ON alert_rule (coalesce(tenant_id, x''), rule);

-- Up to which event the rules have looked. What was there before there were rules is left alone.
CREATE TABLE alert_cursor (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    seq      INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;

INSERT INTO alert_cursor (only_row, seq)
SELECT 1, coalesce(max(seq), 0) FROM audit_event;

CREATE TRIGGER alert_cursor_only_goes_on
BEFORE UPDATE OF seq ON alert_cursor WHEN NEW.seq < OLD.seq
BEGIN
    SELECT raise(ABORT, 'what was looked at is not looked at again');
END;

-- Failed sign-ins, by time: what the rules have to remember is had from there after a restart.
CREATE INDEX audit_failed ON audit_event (at) WHERE kind = 'authn.failed';
