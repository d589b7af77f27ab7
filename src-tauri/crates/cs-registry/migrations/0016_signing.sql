-- Who may approve: what tools ask of their approvers, the groups that operators are in, and the
-- signatures over a waiting call, one of each operator.

-- What a tool asks of its approvers, as JSON; one signature of any operator who may decide, when
-- there is nothing.
ALTER TABLE tool ADD COLUMN signing TEXT CHECK (signing IS NULL OR json_valid(signing));
-- The operator who answers for an agent.
ALTER TABLE agent ADD COLUMN responsible_id BLOB REFERENCES operator (id);

CREATE TABLE operator_group (
    name    TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE operator_group_member (
    group_name  TEXT NOT NULL REFERENCES operator_group (name) ON DELETE CASCADE,
    operator_id BLOB NOT NULL REFERENCES operator (id),
    PRIMARY KEY (group_name, operator_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_group_of ON operator_group_member (operator_id);

-- Whoever is removed is in no group any more.
CREATE TRIGGER operator_group_left
AFTER UPDATE OF removed ON operator WHEN NEW.removed IS NOT NULL
BEGIN
    DELETE FROM operator_group_member WHERE operator_id = NEW.id;
END;

CREATE TABLE approval_signature (
    tenant_id    BLOB    NOT NULL,
    approval_id  BLOB    NOT NULL,
    operator_id  BLOB    NOT NULL REFERENCES operator (id),
    token_id     BLOB    NOT NULL UNIQUE CHECK (length(token_id) = 16),
    at           INTEGER NOT NULL,
    expires      INTEGER NOT NULL CHECK (expires > at),
    -- The signed token, sealed. Kept only while it can be redeemed: one without does not stand.
    sealed_token BLOB,
    reason       TEXT CHECK (length(reason) BETWEEN 1 AND 4000),
    presence     INTEGER NOT NULL CHECK (presence IN (0, 1)),
    breaks_glass INTEGER NOT NULL CHECK (breaks_glass IN (0, 1)),
    PRIMARY KEY (tenant_id, approval_id, operator_id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES approval (tenant_id, id) ON DELETE CASCADE,
    CHECK (breaks_glass = 0 OR (presence = 1 AND reason IS NOT NULL))
) STRICT;

INSERT INTO approval_signature (tenant_id, approval_id, operator_id, token_id, at, expires,
                                sealed_token, reason, presence, breaks_glass)
SELECT tenant_id, id, decided_by, token_id, decided_at, token_expires, sealed_token, NULL, 0, 0
  FROM approval
 WHERE token_id IS NOT NULL AND decided_by IS NOT NULL AND token_expires > decided_at;

CREATE INDEX approval_standing ON approval_signature (expires) WHERE sealed_token IS NOT NULL;
CREATE INDEX approval_glass ON approval_signature (approval_id) WHERE breaks_glass = 1;

CREATE TRIGGER approval_signature_while_pending
BEFORE INSERT ON approval_signature
WHEN (SELECT state FROM approval
       WHERE tenant_id = NEW.tenant_id AND id = NEW.approval_id) IS NOT 'pending'
BEGIN
    SELECT raise(ABORT, 'only a pending request is signed');
END;

-- An operator signs again only where the earlier signature does not stand any more.
CREATE TRIGGER approval_signature_replaced
BEFORE UPDATE OF token_id, at, expires, reason, presence, breaks_glass ON approval_signature
WHEN (OLD.sealed_token IS NOT NULL AND OLD.expires > NEW.at)
  OR (SELECT state FROM approval
       WHERE tenant_id = NEW.tenant_id AND id = NEW.approval_id) IS NOT 'pending'
BEGIN
    SELECT raise(ABORT, 'a signature that stands is not replaced');
END;

CREATE TRIGGER approval_signature_whose
BEFORE UPDATE OF tenant_id, approval_id, operator_id ON approval_signature
BEGIN
    SELECT raise(ABORT, 'a signature stays with its call and its operator');
END;

-- A request that leads to no call any more has no signature that stands.
CREATE TRIGGER approval_signatures_over
AFTER UPDATE OF state ON approval WHEN NEW.state NOT IN ('approved', 'pending')
BEGIN
    UPDATE approval_signature
       SET sealed_token = NULL
     WHERE tenant_id = NEW.tenant_id AND approval_id = NEW.id AND sealed_token IS NOT NULL;
END;

-- Tokens that were spent together with the one that the redemption is known by.
CREATE TABLE redemption_with (
    token_id BLOB NOT NULL PRIMARY KEY CHECK (length(token_id) = 16),
    leader   BLOB NOT NULL REFERENCES redemption (token_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER redemption_with_once
BEFORE INSERT ON redemption_with
WHEN EXISTS (SELECT 1 FROM redemption WHERE token_id = NEW.token_id)
BEGIN
    SELECT raise(ABORT, 'a token is spent once');
END;

CREATE TRIGGER redemption_once
BEFORE INSERT ON redemption
WHEN EXISTS (SELECT 1 FROM redemption_with WHERE token_id = NEW.token_id)
BEGIN
    SELECT raise(ABORT, 'a token is spent once');
END;

CREATE TRIGGER redemption_with_unchanged
BEFORE UPDATE ON redemption_with
BEGIN
    SELECT raise(ABORT, 'a redemption does not change');
END;

CREATE TRIGGER redemption_with_kept
BEFORE DELETE ON redemption_with
BEGIN
    SELECT raise(ABORT, 'a redemption is kept');
END;
