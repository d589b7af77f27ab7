-- How many calls of an agent may wait for people at a time; the usual number, when there is none.
ALTER TABLE agent ADD COLUMN most_waiting INTEGER CHECK (most_waiting BETWEEN 1 AND 500);

-- Those that wait, to be counted before one more does.
CREATE INDEX approval_pending ON approval (tenant_id, agent_id) WHERE state = 'pending';
