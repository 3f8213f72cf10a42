"""The tables of state files that earlier versions wrote."""

TABLES_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE binding (
    key TEXT PRIMARY KEY, incident_id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    settled INTEGER NOT NULL, bound_at TEXT NOT NULL
);
CREATE TABLE entry (
    key TEXT NOT NULL, step TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL,
    idempotency_key TEXT, plan_hash TEXT, detail TEXT, PRIMARY KEY (key, step)
) WITHOUT ROWID;
CREATE TABLE field (
    key TEXT NOT NULL, slot TEXT NOT NULL, attribute TEXT NOT NULL, declared TEXT NOT NULL, answered TEXT,
    PRIMARY KEY (key, slot)
) WITHOUT ROWID;
CREATE TABLE plan (hash TEXT PRIMARY KEY, finished_at TEXT NOT NULL);
"""
TABLES_2 = TABLES_1.replace("detail TEXT,", "detail TEXT, content TEXT,")
