-- How often an agent may call at all, and how often each agent may call a tool: so many calls in
-- so many seconds. Without both numbers, as often as it likes.
ALTER TABLE agent ADD COLUMN rate_calls INTEGER CHECK (rate_calls BETWEEN 1 AND 100000);
ALTER TABLE agent ADD COLUMN rate_secs INTEGER CHECK (
    (rate_secs IS NULL) = (rate_calls IS NULL) AND (rate_secs IS NULL OR rate_secs BETWEEN 1 AND 86400)
);
ALTER TABLE tool ADD COLUMN rate_calls INTEGER CHECK (rate_calls BETWEEN 1 AND 100000);
ALTER TABLE tool ADD COLUMN rate_secs INTEGER CHECK (
    (rate_secs IS NULL) = (rate_calls IS NULL) AND (rate_secs IS NULL OR rate_secs BETWEEN 1 AND 86400)
);
