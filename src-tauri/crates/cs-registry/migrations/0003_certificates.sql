-- Who issues certificates. The private keys are in the secret store, never here.

-- The authority that issues the certificates of a tenant's agents.
CREATE TABLE authority (
    tenant_id   BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    -- PEM.
    certificate TEXT    NOT NULL CHECK (length(certificate) BETWEEN 1 AND 65536),
    created     INTEGER NOT NULL,
    -- The number of the last revocation list that it signed. It only grows.
    crl_number  INTEGER NOT NULL CHECK (crl_number >= 0)
) STRICT;

CREATE TRIGGER authority_number_only_grows BEFORE UPDATE OF crl_number ON authority
WHEN new.crl_number <= old.crl_number
BEGIN
    SELECT raise(ABORT, 'the number of a revocation list only grows');
END;

-- The authority that issues the certificate of the gateway itself.
CREATE TABLE server_authority (
    only_one    INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    certificate TEXT    NOT NULL CHECK (length(certificate) BETWEEN 1 AND 65536),
    created     INTEGER NOT NULL
) STRICT;
