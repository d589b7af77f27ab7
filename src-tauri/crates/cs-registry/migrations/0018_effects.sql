-- What a tool can do that cannot be taken back, as an administrator says: what is marked is signed
-- call by call.
ALTER TABLE tool ADD COLUMN sends_out INTEGER NOT NULL DEFAULT 0 CHECK (sends_out IN (0, 1));
ALTER TABLE tool ADD COLUMN destroys INTEGER NOT NULL DEFAULT 0 CHECK (destroys IN (0, 1));
