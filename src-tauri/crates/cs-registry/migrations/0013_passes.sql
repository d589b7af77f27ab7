-- What may pass between a server and the people and models behind an agent: a JSON array of words.
ALTER TABLE server ADD COLUMN passes TEXT NOT NULL DEFAULT '[]' CHECK (length(passes) BETWEEN 2 AND 256);
