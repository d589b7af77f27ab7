-- How long what agents prove themselves with lives, where a tenant says so. What it leaves out is
-- as usual; nothing can be looser than the maximum.
CREATE TABLE lifecycle (
    tenant_id          BLOB NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    lifetime_secs      INTEGER CHECK (lifetime_secs BETWEEN 300 AND 7776000),
    rotate_secs        INTEGER CHECK (rotate_secs BETWEEN 60 AND 7776000),
    overlap_secs       INTEGER CHECK (overlap_secs BETWEEN 0 AND 604800),
    alert_unused_secs  INTEGER CHECK (alert_unused_secs BETWEEN 3600 AND 1296000),
    revoke_unused_secs INTEGER CHECK (revoke_unused_secs BETWEEN 3600 AND 2592000)
) STRICT;
