-- Whose access tokens are accepted, and which of them are not any more.

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
