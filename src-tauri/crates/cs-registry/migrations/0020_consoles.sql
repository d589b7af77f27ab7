-- Consoles on other machines: whose each of them is, and by which certificate it is known.

CREATE TABLE console (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- SHA-256 of its certificate.
    fingerprint BLOB    NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    created     INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    revoked     INTEGER
) STRICT;

-- The authority that issues the certificates of consoles, and of the gateway towards them.
CREATE TABLE console_authority (
    only_one    INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    certificate TEXT    NOT NULL CHECK (length(certificate) BETWEEN 1 AND 65536),
    created     INTEGER NOT NULL
) STRICT;

-- Whoever is removed has no console any more.
CREATE TRIGGER console_of_nobody
AFTER UPDATE OF removed ON operator WHEN NEW.removed IS NOT NULL
BEGIN
    UPDATE console SET revoked = NEW.removed WHERE operator_id = NEW.id AND revoked IS NULL;
END;
