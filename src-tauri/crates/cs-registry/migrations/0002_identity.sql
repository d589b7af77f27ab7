-- Whose access tokens are accepted, which of them are not any more, and who comes with what.

-- An identity provider whose access tokens are accepted.
CREATE TABLE provider (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    issuer    TEXT    NOT NULL CHECK (length(issuer) BETWEEN 1 AND 1024),
    settings  TEXT    NOT NULL CHECK (json_valid(settings)),
    enabled   INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created   INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name),
    -- A token names its issuer and nothing else.
    UNIQUE (tenant_id, issuer)
) STRICT;

-- Tokens that were withdrawn before their time.
CREATE TABLE revocation (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    what      TEXT    NOT NULL CHECK (json_valid(what)),
    reason    TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    -- When no token that it could concern can be alive any more.
    ends      INTEGER NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, what)
) STRICT;

CREATE TRIGGER revocation_for_good
BEFORE UPDATE ON revocation
BEGIN
    SELECT raise(ABORT, 'a revocation does not change');
END;

-- The nonces of signed requests, for as long as one could be used again.
CREATE TABLE nonce (
    credential_id BLOB    NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
    nonce         TEXT    NOT NULL CHECK (length(nonce) BETWEEN 1 AND 64),
    until         INTEGER NOT NULL,
    PRIMARY KEY (credential_id, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonce_until ON nonce (until);

-- Proofs of identity in one hour, by method and by reason; accepted ones have no reason. Where it
-- is not known whose tenant a caller meant, the tenant is empty. Both words come from the gateway,
-- and so the rows of an hour are few, whatever callers send.
CREATE TABLE authn_hour (
    tenant_id BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    method    TEXT    NOT NULL CHECK (method IN ('api_key', 'certificate', 'none', 'token')),
    reason    TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    claimed   TEXT,
    client    TEXT,
    PRIMARY KEY (tenant_id, hour, method, reason)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_event_authn
AFTER INSERT ON audit_event
WHEN NEW.kind IN ('authn.failed', 'authn.succeeded')
BEGIN
    INSERT INTO authn_hour (tenant_id, hour, method, reason, count, last, claimed, client)
    VALUES (coalesce(NEW.tenant_id, x''), NEW.at / 3600000,
            CASE WHEN NEW.body ->> '$.detail' IN ('api_key', 'certificate', 'token')
                 THEN NEW.body ->> '$.detail' ELSE 'none' END,
            CASE WHEN NEW.kind = 'authn.succeeded' THEN ''
                 ELSE coalesce(NEW.body ->> '$.reason', 'unknown') END,
            1, NEW.at, NEW.body ->> '$.claimed', NEW.client)
    ON CONFLICT (tenant_id, hour, method, reason) DO UPDATE
        SET count = count + 1,
            last = max(last, excluded.last),
            claimed = coalesce(excluded.claimed, claimed),
            client = coalesce(excluded.client, client);
END;
