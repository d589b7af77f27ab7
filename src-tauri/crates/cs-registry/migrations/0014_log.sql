-- What the log adds up to is counted once for all events that are written together, no longer by
-- triggers for each; and what is of one tenant, agent, session or tool is found by blocks of 256
-- events. An index entry for every event costs more than the event itself.

DROP TRIGGER audit_event_authentication;
DROP TRIGGER audit_event_authn;
DROP TRIGGER audit_event_decision;
DROP TRIGGER audit_event_execution;

DROP INDEX audit_agent;
DROP INDEX audit_session;
DROP INDEX audit_tenant;
DROP INDEX audit_tool;

-- A block has events of a tenant, an agent, a session or a tool: those from 256 times its number
-- on.
CREATE TABLE audit_mark (
    whose BLOB    NOT NULL CHECK (length(whose) = 16),
    block INTEGER NOT NULL CHECK (block >= 0),
    PRIMARY KEY (whose, block)
) STRICT, WITHOUT ROWID;

INSERT INTO audit_mark (whose, block)
SELECT tenant_id, seq / 256 FROM audit_event WHERE tenant_id IS NOT NULL
 UNION
SELECT agent_id, seq / 256 FROM audit_event WHERE agent_id IS NOT NULL
 UNION
SELECT session_id, seq / 256 FROM audit_event WHERE session_id IS NOT NULL
 UNION
SELECT tool_id, seq / 256 FROM audit_event WHERE tool_id IS NOT NULL;
