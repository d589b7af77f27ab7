-- Tools, and everything else that a server publishes and policy governs: prompts, resources and
-- resource templates. A thing is known by its name, a resource by its URI, a template by its text.
--
-- The tables that refer to tools are made anew first and dropped before it, so that dropping it
-- takes nothing along.
CREATE TABLE tool_of_a_kind (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id   BLOB    NOT NULL,
    server_id   BLOB    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('prompt', 'resource', 'template', 'tool')),
    name        TEXT    NOT NULL CHECK (
        length(name) BETWEEN 1 AND iif(kind IN ('prompt', 'tool'), 128, 2048)
    ),
    definition  TEXT    NOT NULL CHECK (json_valid(definition)),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    -- The scopes that an access token needs to call it, as a JSON array.
    scopes      TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(scopes)),
    data_system TEXT    CHECK (length(data_system) BETWEEN 1 AND 100),
    created     INTEGER NOT NULL,
    last_used   INTEGER,
    -- Whether the provider of an access token is asked about it on each call.
    introspect  INTEGER NOT NULL DEFAULT 0 CHECK (introspect IN (0, 1)),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, server_id, kind, name),
    FOREIGN KEY (tenant_id, server_id) REFERENCES server (tenant_id, id) ON DELETE CASCADE
) STRICT;

INSERT INTO tool_of_a_kind (id, tenant_id, server_id, kind, name, definition, fingerprint, enabled,
                            scopes, data_system, created, last_used, introspect)
SELECT id, tenant_id, server_id, 'tool', name, definition, fingerprint, enabled, scopes,
       data_system, created, last_used, introspect
  FROM tool;

CREATE TABLE grant_of_a_kind (
    tenant_id  BLOB NOT NULL,
    role_id    BLOB NOT NULL,
    tool_id    BLOB NOT NULL,
    permission TEXT NOT NULL CHECK (permission IN ('allow', 'token')),
    -- What the arguments of a call have to satisfy for the cell to grant what it says: a JSON
    -- Schema in canonical form, and what the cell grants to other arguments.
    condition  TEXT CHECK (length(condition) BETWEEN 2 AND 65536),
    otherwise  TEXT CHECK (
        (otherwise IS NULL) = (condition IS NULL)
        AND (otherwise IS NULL OR otherwise = 'deny'
             OR (otherwise = 'token' AND permission = 'allow'))
    ),
    PRIMARY KEY (tenant_id, role_id, tool_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES role (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, tool_id) REFERENCES tool_of_a_kind (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO grant_of_a_kind (tenant_id, role_id, tool_id, permission, condition, otherwise)
SELECT tenant_id, role_id, tool_id, permission, condition, otherwise FROM "grant";

CREATE TABLE task_tool_of_a_kind (
    tenant_id BLOB NOT NULL,
    task_id   BLOB NOT NULL,
    tool_id   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, task_id, tool_id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, tool_id) REFERENCES tool_of_a_kind (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO task_tool_of_a_kind (tenant_id, task_id, tool_id)
SELECT tenant_id, task_id, tool_id FROM task_tool;

DROP TRIGGER audit_event_execution;
DROP TABLE task_tool;
DROP TABLE "grant";
DROP TABLE tool;

ALTER TABLE tool_of_a_kind RENAME TO tool;
ALTER TABLE grant_of_a_kind RENAME TO "grant";
ALTER TABLE task_tool_of_a_kind RENAME TO task_tool;

CREATE TRIGGER audit_event_execution
AFTER INSERT ON audit_event
WHEN NEW.kind = 'execution.started'
BEGIN
    UPDATE tool
       SET last_used = NEW.at
     WHERE id = NEW.tool_id
       AND tenant_id = NEW.tenant_id;
END;

CREATE INDEX grant_tool ON "grant" (tenant_id, tool_id);
CREATE INDEX task_tool_tool ON task_tool (tenant_id, tool_id);
