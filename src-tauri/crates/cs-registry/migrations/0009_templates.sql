-- Templates of servers: how one is reached, with places that each tenant fills in itself. They
-- belong to the installation; what is filled in, and the secrets, belong to tenants.

CREATE TABLE server_template (
    name      TEXT    NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
    transport TEXT    NOT NULL CHECK (json_valid(transport)),
    created   INTEGER NOT NULL
) STRICT;

-- Which servers come from a template. How such a server is reached stands in its own row, filled
-- in anew whenever the template or a setting changes.
CREATE TABLE server_origin (
    tenant_id BLOB NOT NULL,
    server_id BLOB NOT NULL,
    template  TEXT NOT NULL REFERENCES server_template (name),
    settings  TEXT NOT NULL CHECK (json_valid(settings)),
    PRIMARY KEY (tenant_id, server_id),
    FOREIGN KEY (tenant_id, server_id) REFERENCES server (tenant_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX server_origin_template ON server_origin (template);
