-- What people keep with a tenant: saved searches, lookup tables and the like. One row a document, the newest version.
CREATE TABLE documents (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, name)
);
