-- The gateway's own token issuer. The private keys are in the secret store, never here.

-- Whether a tenant has one, and how long its tokens live.
CREATE TABLE issuer (
    tenant_id  BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    token_secs INTEGER NOT NULL CHECK (token_secs BETWEEN 300 AND 900)
) STRICT;

-- Its keys, for as long as it is enabled.
CREATE TABLE issuer_key (
    tenant_id  BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    key_id     TEXT    NOT NULL CHECK (length(key_id) BETWEEN 1 AND 128),
    public_jwk TEXT    NOT NULL CHECK (json_valid(public_jwk)),
    state      TEXT    NOT NULL CHECK (state IN ('next', 'retiring', 'signing')),
    created    INTEGER NOT NULL,
    -- When nothing that it signed can be alive any more.
    retires    INTEGER CHECK ((state = 'retiring') = (retires IS NOT NULL)),
    PRIMARY KEY (tenant_id, key_id)
) STRICT;

-- One key signs, and one is next.
CREATE UNIQUE INDEX issuer_key_signing ON issuer_key (tenant_id) WHERE state = 'signing';
CREATE UNIQUE INDEX issuer_key_next ON issuer_key (tenant_id) WHERE state = 'next';

CREATE TRIGGER issuer_key_signs_no_more
BEFORE UPDATE OF state ON issuer_key
WHEN OLD.state = 'retiring' AND NEW.state <> 'retiring'
BEGIN
    SELECT raise(ABORT, 'a key that was retired signs no more');
END;

-- What it issued and refused in one hour, counted from 1970.
CREATE TABLE issuer_hour (
    tenant_id BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    issued    INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_event_issuer
AFTER INSERT ON audit_event
WHEN NEW.tenant_id IS NOT NULL
 AND (NEW.kind IN ('issuer.issued', 'issuer.refused')
      OR (NEW.kind = 'authn.failed' AND NEW.body ->> '$.detail' = 'client'))
BEGIN
    INSERT INTO issuer_hour (tenant_id, hour, issued, refused)
    VALUES (NEW.tenant_id, NEW.at / 3600000, NEW.kind = 'issuer.issued',
            NEW.kind <> 'issuer.issued')
    ON CONFLICT (tenant_id, hour) DO UPDATE
        SET issued = issued + excluded.issued,
            refused = refused + excluded.refused;
END;

-- Clients of the issuer prove who they are as well: one method more.
DROP TRIGGER audit_event_authn;

CREATE TABLE authn_hour_new (
    tenant_id BLOB    NOT NULL,
    hour      INTEGER NOT NULL,
    method    TEXT    NOT NULL CHECK (method IN ('api_key', 'certificate', 'client', 'none',
                                                 'token')),
    reason    TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    claimed   TEXT,
    client    TEXT,
    PRIMARY KEY (tenant_id, hour, method, reason)
) STRICT, WITHOUT ROWID;

INSERT INTO authn_hour_new SELECT * FROM authn_hour;
DROP TABLE authn_hour;
ALTER TABLE authn_hour_new RENAME TO authn_hour;

CREATE TRIGGER audit_event_authn
AFTER INSERT ON audit_event
WHEN NEW.kind IN ('authn.failed', 'authn.succeeded')
BEGIN
    INSERT INTO authn_hour (tenant_id, hour, method, reason, count, last, claimed, client)
    VALUES (coalesce(NEW.tenant_id, x''), NEW.at / 3600000,
            CASE WHEN NEW.body ->> '$.detail' IN ('api_key', 'certificate', 'client', 'token')
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
