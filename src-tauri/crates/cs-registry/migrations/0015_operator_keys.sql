-- The keys that operators once signed with. What they signed is verified with them for ever.
CREATE TABLE operator_key (
    public_key  BLOB    NOT NULL PRIMARY KEY CHECK (length(public_key) = 32),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL CHECK (until >= since),
    why         TEXT    NOT NULL CHECK (why IN ('recovered', 'rotated'))
) STRICT;

CREATE INDEX operator_key_of ON operator_key (operator_id, until);

CREATE TRIGGER operator_key_kept
BEFORE DELETE ON operator_key
BEGIN
    SELECT raise(ABORT, 'a past key is kept');
END;

CREATE TRIGGER operator_key_frozen
BEFORE UPDATE ON operator_key
BEGIN
    SELECT raise(ABORT, 'a past key does not change');
END;

CREATE TRIGGER operator_key_again
BEFORE UPDATE OF public_key ON operator
WHEN EXISTS (SELECT 1 FROM operator_key WHERE public_key = NEW.public_key)
BEGIN
    SELECT raise(ABORT, 'a past key does not come back');
END;

CREATE TRIGGER operator_key_anew
BEFORE INSERT ON operator
WHEN EXISTS (SELECT 1 FROM operator_key WHERE public_key = NEW.public_key)
BEGIN
    SELECT raise(ABORT, 'a past key does not come back');
END;
