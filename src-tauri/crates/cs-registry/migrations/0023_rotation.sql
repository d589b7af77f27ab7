-- Credentials that take the place of others, and what was done about credentials when.

-- The credential that it takes the place of.
ALTER TABLE credential ADD COLUMN replaces BLOB;
-- When its holder was given its secret, where it takes the place of another.
ALTER TABLE credential ADD COLUMN delivered INTEGER;
ALTER TABLE credential ADD COLUMN first_used INTEGER;
-- When it makes way for the one that takes its place.
ALTER TABLE credential ADD COLUMN overlap_ends INTEGER;

UPDATE credential SET first_used = last_used WHERE last_used IS NOT NULL;

-- Nothing has two successors at a time.
CREATE UNIQUE INDEX credential_successor ON credential (tenant_id, replaces)
WHERE replaces IS NOT NULL AND revoked_at IS NULL;

-- Tenants whose credentials are being replaced, all of them that were issued until then.
CREATE TABLE rotation_run (
    tenant_id BLOB    NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    begun     INTEGER NOT NULL
) STRICT;

-- How far the housekeeper is. It stands still from the moment at which the clock was found set
-- until a person has looked.
CREATE TABLE housekeeping (
    only_one  INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    last_tick INTEGER NOT NULL,
    halted    INTEGER,
    why       TEXT CHECK ((halted IS NULL) = (why IS NULL))
) STRICT;
