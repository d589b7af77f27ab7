-- The registry.
--
-- Ids are 16-byte UUIDs, digests and keys 32 bytes, times milliseconds since 1970 in UTC.
-- A row of a tenant names its tenant, and refers to other rows by (tenant_id, id): a reference
-- across tenants cannot be written down.

-- The installation itself -------------------------------------------------------------------

CREATE TABLE instance (
    only_row     INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    secret_store TEXT    NOT NULL CHECK (length(secret_store) BETWEEN 1 AND 32),
    created      INTEGER NOT NULL
) STRICT;

CREATE TABLE operator (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role       TEXT    NOT NULL CHECK (role IN ('approver', 'auditor', 'owner', 'policy_editor')),
    public_key BLOB    NOT NULL UNIQUE CHECK (length(public_key) = 32),
    created    INTEGER NOT NULL,
    removed    INTEGER
) STRICT;

CREATE UNIQUE INDEX operator_name ON operator (name) WHERE removed IS NULL;

-- Policy: what is enforced ------------------------------------------------------------------

CREATE TABLE tenant (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name     TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
    standing TEXT    NOT NULL CHECK (standing IN ('active', 'suspended')),
    starter  INTEGER NOT NULL CHECK (starter IN (0, 1)),
    created  INTEGER NOT NULL
) STRICT;

CREATE TABLE server (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    transport TEXT    NOT NULL CHECK (json_valid(transport)),
    enabled   INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created   INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE tool (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id   BLOB    NOT NULL,
    server_id   BLOB    NOT NULL,
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    definition  TEXT    NOT NULL CHECK (json_valid(definition)),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- The scopes that an access token needs to call it, as a JSON array.
    scopes      TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(scopes)),
    data_system TEXT    CHECK (length(data_system) BETWEEN 1 AND 100),
    created     INTEGER NOT NULL,
    last_used   INTEGER,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, server_id, name),
    FOREIGN KEY (tenant_id, server_id) REFERENCES server (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE role (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    created   INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

-- A cell of the matrix. A cell that is not here denies, so `deny` is never stored.
CREATE TABLE "grant" (
    tenant_id  BLOB NOT NULL,
    role_id    BLOB NOT NULL,
    tool_id    BLOB NOT NULL,
    permission TEXT NOT NULL CHECK (permission IN ('allow', 'token')),
    PRIMARY KEY (tenant_id, role_id, tool_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES role (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, tool_id) REFERENCES tool (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX grant_tool ON "grant" (tenant_id, tool_id);

CREATE TABLE task (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id     BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    expected_secs INTEGER NOT NULL CHECK (expected_secs BETWEEN 1 AND 4294967295),
    longest_secs  INTEGER NOT NULL CHECK (longest_secs BETWEEN 1 AND 4294967295),
    created       INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE task_tool (
    tenant_id BLOB NOT NULL,
    task_id   BLOB NOT NULL,
    tool_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, task_id, tool_id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, tool_id) REFERENCES tool (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX task_tool_tool ON task_tool (tenant_id, tool_id);

CREATE TABLE agent (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    standing  TEXT    NOT NULL CHECK (standing IN ('active', 'suspended')),
    created   INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE agent_role (
    tenant_id BLOB NOT NULL,
    agent_id  BLOB NOT NULL,
    role_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, role_id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agent (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES role (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_role_role ON agent_role (tenant_id, role_id);

CREATE TABLE agent_task (
    tenant_id BLOB NOT NULL,
    agent_id  BLOB NOT NULL,
    task_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, task_id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agent (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_task_task ON agent_task (tenant_id, task_id);

-- One numbered state of all of the above, as it was enforced.
CREATE TABLE policy_version (
    number    INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    document  TEXT    NOT NULL CHECK (json_valid(document)),
    summary   TEXT    NOT NULL,
    actor     TEXT    NOT NULL CHECK (json_valid(actor)),
    created   INTEGER NOT NULL,
    signature BLOB
) STRICT;

CREATE TRIGGER policy_version_unchanged
BEFORE UPDATE OF number, document, summary, actor, created ON policy_version
BEGIN
    SELECT raise(ABORT, 'a policy version does not change');
END;

CREATE TRIGGER policy_version_signed_once
BEFORE UPDATE OF signature ON policy_version WHEN OLD.signature IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a policy version is signed once');
END;

CREATE TRIGGER policy_version_kept
BEFORE DELETE ON policy_version
BEGIN
    SELECT raise(ABORT, 'a policy version is kept');
END;

-- What agents prove themselves with, and what servers are given -------------------------------

CREATE TABLE credential (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id     BLOB    NOT NULL,
    agent_id      BLOB    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('api_key', 'certificate', 'client',
                                                   'external')),
    -- What it is recognised by: a key id, a client id, the fingerprint of a certificate, or a
    -- provider and the subject there.
    key_id        TEXT    NOT NULL UNIQUE CHECK (length(key_id) BETWEEN 1 AND 400),
    -- The secret, where the gateway has to know it.
    sealed_secret BLOB,
    -- What proves it, where that is public, as JSON.
    proof         TEXT    NOT NULL CHECK (json_valid(proof)),
    provider_id   BLOB,
    -- The networks it may be used from (CIDR), as a JSON array; none means all.
    networks      TEXT    NOT NULL CHECK (json_valid(networks)),
    -- Whether it may declare only the tasks in `credential_task`.
    task_bound    INTEGER NOT NULL CHECK (task_bound IN (0, 1)),
    created       INTEGER NOT NULL,
    expires       INTEGER NOT NULL CHECK (expires > created),
    suspended_at  INTEGER,
    revoked_at    INTEGER,
    last_used     INTEGER,
    last_from     TEXT,
    UNIQUE (tenant_id, id),
    CHECK ((kind = 'api_key') = (sealed_secret IS NOT NULL)),
    CHECK ((kind = 'external') = (provider_id IS NOT NULL)),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agent (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, provider_id) REFERENCES provider (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX credential_agent ON credential (tenant_id, agent_id);

CREATE TRIGGER credential_revoked_for_good
BEFORE UPDATE OF revoked_at ON credential
WHEN OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at
BEGIN
    SELECT raise(ABORT, 'a credential is revoked for good');
END;

-- A task that is removed leaves the credential bound, to fewer tasks or to none.
CREATE TABLE credential_task (
    tenant_id     BLOB NOT NULL,
    credential_id BLOB NOT NULL,
    task_id       BLOB NOT NULL,
    PRIMARY KEY (tenant_id, credential_id, task_id),
    FOREIGN KEY (tenant_id, credential_id)
        REFERENCES credential (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX credential_task_task ON credential_task (tenant_id, task_id);

CREATE TABLE tenant_secret (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    sealed    BLOB    NOT NULL,
    changed   INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
) STRICT;

-- What happens at run time --------------------------------------------------------------------
--
-- Names are kept beside ids: what happened stays readable when the agent or the tool is gone.

CREATE TABLE session (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id      BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    agent_id       BLOB    NOT NULL,
    agent_name     TEXT    NOT NULL,
    credential_id  BLOB    NOT NULL,
    task_id        BLOB,
    task_name      TEXT,
    allowlist      TEXT    NOT NULL CHECK (json_valid(allowlist)),
    policy_version INTEGER NOT NULL,
    opened         INTEGER NOT NULL,
    ends           INTEGER NOT NULL,
    ended          INTEGER,
    end_reason     TEXT CHECK (end_reason IN ('client', 'credential', 'expired', 'operator')),
    wire_id        TEXT UNIQUE,
    calls          INTEGER NOT NULL DEFAULT 0,
    anomalies      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, id),
    CHECK ((task_id IS NULL) = (task_name IS NULL)),
    CHECK ((ended IS NULL) = (end_reason IS NULL)),
    CHECK (ended IS NULL OR wire_id IS NULL)
) STRICT;

CREATE INDEX session_live ON session (tenant_id, agent_id, ends) WHERE ended IS NULL;
CREATE INDEX session_opened ON session (tenant_id, opened);

CREATE TRIGGER session_frozen
BEFORE UPDATE OF id, tenant_id, agent_id, credential_id, task_id, allowlist, policy_version,
    opened, ends ON session
BEGIN
    SELECT raise(ABORT, 'a session is frozen when it opens');
END;

CREATE TRIGGER session_over
BEFORE UPDATE OF ended, end_reason ON session WHEN OLD.ended IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a session ends once');
END;

CREATE TABLE approval (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id        BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    operation        BLOB    NOT NULL CHECK (length(operation) = 32),
    agent_id         BLOB    NOT NULL,
    agent_name       TEXT    NOT NULL,
    credential_id    BLOB    NOT NULL,
    session_id       BLOB    NOT NULL,
    task_id          BLOB    NOT NULL,
    task_name        TEXT    NOT NULL,
    server_id        BLOB    NOT NULL,
    server_name      TEXT    NOT NULL,
    tool_id          BLOB    NOT NULL,
    tool_name        TEXT    NOT NULL,
    listed           TEXT    NOT NULL,
    fingerprint      BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    arguments        TEXT    NOT NULL CHECK (json_valid(arguments)),
    arguments_digest BLOB    NOT NULL CHECK (length(arguments_digest) = 32),
    policy_version   INTEGER NOT NULL,
    requested        INTEGER NOT NULL,
    decide_by        INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('approved', 'denied', 'expired', 'executed',
                                                       'pending', 'unknown', 'withdrawn')),
    decided_by       BLOB REFERENCES operator (id),
    decided_at       INTEGER,
    reason           TEXT,
    token_id         BLOB UNIQUE,
    token_expires    INTEGER,
    -- The signed token, sealed. Kept only while it can be redeemed.
    sealed_token     BLOB,
    outcome          TEXT CHECK (outcome IN ('answered', 'failed', 'unknown')),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES session (tenant_id, id) ON DELETE CASCADE,
    CHECK ((state = 'approved') = (sealed_token IS NOT NULL)),
    CHECK ((token_id IS NULL) = (token_expires IS NULL)),
    -- Only an operator approves; the command line may deny in nobody's name.
    CHECK (decided_by IS NULL OR decided_at IS NOT NULL),
    CHECK (state NOT IN ('approved', 'executed', 'unknown')
           OR (token_id IS NOT NULL AND decided_by IS NOT NULL)),
    CHECK (state <> 'denied' OR (decided_at IS NOT NULL AND reason IS NOT NULL)),
    CHECK (outcome IS NULL OR state IN ('executed', 'unknown'))
) STRICT;

-- One call waits, or may be made, once.
CREATE UNIQUE INDEX approval_live ON approval (tenant_id, operation)
    WHERE state IN ('approved', 'pending');
CREATE INDEX approval_state ON approval (state, decide_by);
CREATE INDEX approval_requested ON approval (tenant_id, requested);
CREATE INDEX approval_before ON approval (tenant_id, agent_id, tool_id, decided_at);
CREATE INDEX approval_session ON approval (tenant_id, session_id);

CREATE TRIGGER approval_born_pending
BEFORE INSERT ON approval WHEN NEW.state <> 'pending'
BEGIN
    SELECT raise(ABORT, 'an approval request begins as pending');
END;

CREATE TRIGGER approval_unchanged
BEFORE UPDATE OF id, tenant_id, operation, agent_id, credential_id, session_id, task_id,
    server_id, tool_id, listed, fingerprint, arguments, arguments_digest, policy_version,
    requested, decide_by ON approval
BEGIN
    SELECT raise(ABORT, 'what was put before a person does not change');
END;

CREATE TRIGGER approval_order
BEFORE UPDATE OF state ON approval
WHEN NEW.state <> OLD.state
 AND NOT ((OLD.state = 'pending' AND NEW.state IN ('approved', 'denied', 'expired', 'withdrawn'))
       OR (OLD.state = 'approved' AND NEW.state IN ('executed', 'expired', 'withdrawn'))
       OR (OLD.state = 'executed' AND NEW.state = 'unknown'))
BEGIN
    SELECT raise(ABORT, 'an approval request does not go that way');
END;

CREATE TRIGGER approval_decided_once
BEFORE UPDATE OF decided_by, decided_at, token_id, token_expires ON approval
WHEN OLD.decided_at IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'an approval request is decided once');
END;

-- Spent operation tokens. Outlives the tenant: what was spent stays spent.
CREATE TABLE redemption (
    token_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(token_id) = 16),
    tenant_id   BLOB    NOT NULL,
    session_id  BLOB    NOT NULL,
    approval_id BLOB UNIQUE,
    expires     INTEGER NOT NULL,
    redeemed    INTEGER NOT NULL CHECK (redeemed < expires),
    outcome     TEXT CHECK (outcome IN ('answered', 'failed', 'unknown')),
    settled     INTEGER,
    CHECK ((outcome IS NULL) = (settled IS NULL))
) STRICT;

CREATE INDEX redemption_open ON redemption (redeemed) WHERE outcome IS NULL;

CREATE TRIGGER redemption_unchanged
BEFORE UPDATE OF token_id, tenant_id, session_id, approval_id, expires, redeemed ON redemption
BEGIN
    SELECT raise(ABORT, 'a redemption does not change');
END;

CREATE TRIGGER redemption_settled_once
BEFORE UPDATE OF outcome, settled ON redemption WHEN OLD.outcome IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a redemption is settled once');
END;

CREATE TRIGGER redemption_kept
BEFORE DELETE ON redemption
BEGIN
    SELECT raise(ABORT, 'a redemption is kept');
END;

-- The log -----------------------------------------------------------------------------------

-- `body` is what is sealed; the columns beside it only find it again.
CREATE TABLE audit_event (
    seq            INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at             INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    tenant_id      BLOB,
    agent_id       BLOB,
    credential_id  BLOB,
    session_id     BLOB,
    tool_id        BLOB,
    approval_id    BLOB,
    correlation_id BLOB,
    decision       TEXT,
    anomaly        INTEGER NOT NULL CHECK (anomaly IN (0, 1)),
    client         TEXT,
    words          TEXT    NOT NULL,
    body           TEXT    NOT NULL,
    previous       BLOB    NOT NULL CHECK (length(previous) = 32),
    hash           BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_at ON audit_event (at);
CREATE INDEX audit_kind ON audit_event (kind);
CREATE INDEX audit_tenant ON audit_event (tenant_id);
CREATE INDEX audit_agent ON audit_event (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX audit_session ON audit_event (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX audit_tool ON audit_event (tool_id) WHERE tool_id IS NOT NULL;
CREATE INDEX audit_approval ON audit_event (approval_id) WHERE approval_id IS NOT NULL;
CREATE INDEX audit_correlation ON audit_event (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX audit_anomaly ON audit_event (tenant_id) WHERE anomaly = 1;

CREATE TRIGGER audit_event_unchanged
BEFORE UPDATE ON audit_event
BEGIN
    SELECT raise(ABORT, 'an audit event does not change');
END;

CREATE TRIGGER audit_event_kept
BEFORE DELETE ON audit_event
BEGIN
    SELECT raise(ABORT, 'an audit event is kept');
END;

CREATE TRIGGER audit_event_next
BEFORE INSERT ON audit_event
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM audit_event), 0) + 1
BEGIN
    SELECT raise(ABORT, 'an audit event comes next');
END;

-- What the log adds up to. Kept by triggers, so that a count is never without its event.

-- Decisions of one tenant in one hour, counted from 1970.
CREATE TABLE decision_hour (
    tenant_id BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    allow     INTEGER NOT NULL DEFAULT 0,
    hold      INTEGER NOT NULL DEFAULT 0,
    deny      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_event_decision
AFTER INSERT ON audit_event
WHEN NEW.kind = 'decision' AND NEW.tenant_id IS NOT NULL AND NEW.decision IS NOT NULL
BEGIN
    INSERT INTO decision_hour (tenant_id, hour, allow, hold, deny)
    VALUES (NEW.tenant_id, NEW.at / 3600000, NEW.decision = 'allow', NEW.decision = 'hold',
            NEW.decision = 'deny')
    ON CONFLICT (tenant_id, hour) DO UPDATE
        SET allow = allow + excluded.allow,
            hold = hold + excluded.hold,
            deny = deny + excluded.deny;
    UPDATE session
       SET calls = calls + 1,
           anomalies = anomalies + NEW.anomaly
     WHERE id = NEW.session_id
       AND tenant_id = NEW.tenant_id;
END;

CREATE TRIGGER audit_event_execution
AFTER INSERT ON audit_event
WHEN NEW.kind = 'execution.started'
BEGIN
    UPDATE tool
       SET last_used = NEW.at
     WHERE id = NEW.tool_id
       AND tenant_id = NEW.tenant_id;
END;

CREATE TRIGGER audit_event_authentication
AFTER INSERT ON audit_event
WHEN NEW.kind = 'authn.succeeded'
BEGIN
    UPDATE credential
       SET last_used = NEW.at,
           last_from = NEW.client
     WHERE id = NEW.credential_id
       AND tenant_id = NEW.tenant_id;
END;

-- 'CSGN', so that another database is not taken for a registry; and the version of this schema.
PRAGMA application_id = 1129531214;
PRAGMA user_version = 1;
