-- Whether the provider of an access token is asked about it on each call of the tool.
ALTER TABLE tool ADD COLUMN introspect INTEGER NOT NULL DEFAULT 0 CHECK (introspect IN (0, 1));
