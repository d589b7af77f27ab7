-- Where secrets are kept, where the word for the store does not say it all, and a move of them to
-- another store that is not done yet.

ALTER TABLE instance ADD COLUMN secret_place TEXT CHECK (length(secret_place) BETWEEN 1 AND 8192);

CREATE TABLE secret_move (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- While copies are made: where they are made. Once they are what counts: where there are still
    -- those from before.
    copied   INTEGER NOT NULL CHECK (copied IN (0, 1)),
    store    TEXT    NOT NULL CHECK (length(store) BETWEEN 1 AND 64),
    place    TEXT             CHECK (length(place) BETWEEN 1 AND 8192),
    began    INTEGER NOT NULL
) STRICT;
