-- How the gateway is to serve, authorities of others, and own authorities that follow one another.

-- What an operator has set, where no flag of the process says otherwise.
CREATE TABLE serving (
    only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    settings TEXT    NOT NULL CHECK (json_valid(settings)),
    changed  INTEGER NOT NULL
) STRICT;

-- An authority of others whose certificates a tenant believes.
CREATE TABLE outside_authority (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id    BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    -- PEM: roots, and authorities below them.
    certificates TEXT    NOT NULL CHECK (length(certificates) BETWEEN 1 AND 65536),
    -- The beginning of each SPIFFE id that it may speak for.
    prefix       TEXT    NOT NULL CHECK (length(prefix) BETWEEN 1 AND 255),
    -- Its revocation lists (PEM). Without them it opens nothing.
    lists        TEXT    NOT NULL CHECK (length(lists) <= 16777216),
    created      INTEGER NOT NULL,
    listed       INTEGER,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

-- The authorities of a tenant: one that issues, and those before it until all that they issued has
-- ended.
CREATE TABLE authority_of_tenant (
    tenant_id   BLOB    NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    generation  INTEGER NOT NULL CHECK (generation >= 1),
    -- PEM.
    certificate TEXT    NOT NULL CHECK (length(certificate) BETWEEN 1 AND 65536),
    created     INTEGER NOT NULL,
    -- The number of the last revocation list that it signed. It only grows.
    crl_number  INTEGER NOT NULL CHECK (crl_number >= 0),
    -- That list (PEM).
    list        TEXT,
    -- Since when another one issues in its place, and when the last that it issued ends.
    retired     INTEGER,
    ends        INTEGER,
    PRIMARY KEY (tenant_id, generation),
    CHECK ((retired IS NULL) = (ends IS NULL))
) STRICT;

INSERT INTO authority_of_tenant (tenant_id, generation, certificate, created, crl_number)
SELECT tenant_id, 1, certificate, created, crl_number FROM authority;

DROP TABLE authority;
ALTER TABLE authority_of_tenant RENAME TO authority;

CREATE UNIQUE INDEX authority_that_issues ON authority (tenant_id) WHERE retired IS NULL;

CREATE TRIGGER authority_number_only_grows BEFORE UPDATE OF crl_number ON authority
WHEN new.crl_number <= old.crl_number
BEGIN
    SELECT raise(ABORT, 'the number of a revocation list only grows');
END;
