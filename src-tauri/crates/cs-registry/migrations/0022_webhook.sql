-- The web server that is told when calls begin to wait for a person.

CREATE TABLE webhook (
    only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
    url      TEXT    NOT NULL CHECK (length(url) BETWEEN 1 AND 1024),
    -- What names the key in the secret store that notices are signed with. Absent: unsigned.
    key_id   BLOB             CHECK (length(key_id) = 16),
    changed  INTEGER NOT NULL
) STRICT;
