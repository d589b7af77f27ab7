-- What the arguments of a call have to satisfy for a cell to grant what it says: a JSON Schema in
-- canonical form, and what the cell grants to other arguments.
ALTER TABLE "grant" ADD COLUMN condition TEXT CHECK (length(condition) BETWEEN 2 AND 65536);
ALTER TABLE "grant" ADD COLUMN otherwise TEXT CHECK (
    (otherwise IS NULL) = (condition IS NULL)
    AND (otherwise IS NULL OR otherwise = 'deny' OR (otherwise = 'token' AND permission = 'allow'))
);
