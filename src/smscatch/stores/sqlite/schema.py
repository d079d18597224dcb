"""The tables of the SQLite store and the steps from one version of them to the next. No queries.

`PRAGMA user_version` counts the steps that a database has taken.
"""

import sqlite3

from smscatch.errors import CannotStart
from smscatch.numbers import fold_sender

STEPS = (
    """
    CREATE TABLE messages (
        position INTEGER PRIMARY KEY,  -- given by us, see counters: a deleted newest one is not given again
        id TEXT NOT NULL UNIQUE,
        line TEXT NOT NULL,
        sender TEXT NOT NULL,          -- as numbers.fold_sender leaves it
        text TEXT NOT NULL,            -- casefolded: what `contains` searches
        has_code INTEGER NOT NULL,
        received_at INTEGER NOT NULL,  -- milliseconds since 1970, UTC
        json BLOB NOT NULL,            -- the message as it is sent to clients
        raw BLOB NOT NULL              -- the delivery it was read from
    );
    CREATE INDEX messages_line ON messages (line, position);
    CREATE INDEX messages_sender ON messages (sender, position);
    CREATE INDEX messages_received ON messages (received_at);
    CREATE TABLE line_counts (line TEXT PRIMARY KEY, messages INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TRIGGER message_counted AFTER INSERT ON messages BEGIN
        INSERT INTO line_counts VALUES (NEW.line, 1) ON CONFLICT DO UPDATE SET messages = messages + 1;
    END;
    CREATE TRIGGER message_uncounted AFTER DELETE ON messages BEGIN
        UPDATE line_counts SET messages = messages - 1 WHERE line = OLD.line;
    END;
    CREATE TABLE part_groups (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL,             -- what the parts of a message have in common, see base.group_of
        total INTEGER NOT NULL,
        message_id TEXT,               -- the message made of them, once it is shown
        newest_at INTEGER NOT NULL     -- when its newest part was received
    );
    CREATE INDEX part_groups_key ON part_groups (key, number);
    CREATE INDEX part_groups_open ON part_groups (newest_at) WHERE message_id IS NULL;
    CREATE TABLE parts (
        id TEXT PRIMARY KEY,
        group_number INTEGER NOT NULL REFERENCES part_groups (number),
        json BLOB NOT NULL,
        raw BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX parts_group ON parts (group_number);
    CREATE TABLE deleted (id TEXT PRIMARY KEY, received_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('position', 0), ('indexed', 0);
    CREATE VIRTUAL TABLE trigrams USING fts5 (
        text, content = 'messages', content_rowid = 'position', tokenize = 'trigram case_sensitive 1'
    );
    CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,     -- SHA-256 of the secret
        parent TEXT,                   -- the key that a session was made from
        expires_at INTEGER,            -- milliseconds since 1970
        json BLOB NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE messages ADD COLUMN lease TEXT NOT NULL DEFAULT '';  -- the lease it belongs to
    CREATE INDEX messages_lease ON messages (lease, position) WHERE lease <> '';
    CREATE TABLE leases (
        number INTEGER PRIMARY KEY,    -- grows: a line's newest lease is the one that counts
        id TEXT NOT NULL UNIQUE,
        line TEXT NOT NULL,
        key TEXT NOT NULL,             -- who asked for it, and with which ticket
        ticket TEXT NOT NULL,
        expires_at INTEGER NOT NULL,   -- milliseconds since 1970
        rests_until INTEGER NOT NULL,
        json BLOB NOT NULL
    );
    CREATE INDEX leases_line ON leases (line, number);
    CREATE INDEX leases_ticket ON leases (key, ticket);
    CREATE TABLE wishes (              -- the queue for lines
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        ticket TEXT NOT NULL,
        keep_until INTEGER NOT NULL,   -- who has not asked again by then is gone
        json BLOB NOT NULL,
        UNIQUE (key, ticket)
    );
    CREATE TABLE reads (
        message TEXT NOT NULL,
        key TEXT NOT NULL,
        at INTEGER NOT NULL,
        json BLOB NOT NULL,
        PRIMARY KEY (message, key)
    ) WITHOUT ROWID;
    """,
    # Senders that were indexed with a '+' which the network had not sent.
    """
    UPDATE messages SET sender = fold_sender(json_extract(CAST(json AS TEXT), '$.sender'))
    WHERE sender GLOB '+*' AND sender <> fold_sender(json_extract(CAST(json AS TEXT), '$.sender'));
    """,
    """
    CREATE TABLE sinks (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (                -- the queue in front of the sinks
        sink TEXT NOT NULL,
        position INTEGER NOT NULL,     -- where its message stood
        state TEXT NOT NULL,           -- open, done or dead
        due_at INTEGER NOT NULL,       -- when to try next, or when a claim expires, or when it was over
        owner TEXT,                    -- who has claimed it
        json BLOB NOT NULL,
        PRIMARY KEY (sink, position)
    ) WITHOUT ROWID;
    CREATE INDEX jobs_due ON jobs (sink, state, due_at, position);
    """,
    # Who read a message was noted after its deletion, too, and then for good.
    "DELETE FROM reads WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.id = reads.message);",
    "CREATE TABLE sources (name TEXT PRIMARY KEY, json BLOB NOT NULL) WITHOUT ROWID;  -- who may deliver, with secrets",
    """
    CREATE TABLE memos (               -- small things that are kept under a name for a while
        name TEXT PRIMARY KEY,
        content BLOB NOT NULL,
        until INTEGER NOT NULL         -- milliseconds since 1970
    ) WITHOUT ROWID;
    """,
)


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Take the steps that are missing, all in one transaction. Raises CannotStart if the database is newer than we."""
    connection.create_function("fold_sender", 1, fold_sender, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")  # of two starting at once the second waits here, and finds all done
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        connection.execute("ROLLBACK")
        raise CannotStart(
            f"The database {path} has schema {version}, written by a newer smscatch; this one knows up to {len(STEPS)}."
            " Install the newer smscatch, or name another database with SMSCATCH_STORE."
        )
    for step in STEPS[version:]:
        for statement in split_statements(step):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    connection.execute("COMMIT")


def split_statements(script: str) -> list[str]:
    """Return the statements of `script`; `executescript` would commit our transaction."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
