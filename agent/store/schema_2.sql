-- From version 1 (schema.sql) to version 2.

-- Events that have the id of an earlier one and other bytes; as long as the
-- batches.
CREATE TABLE version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed INTEGER NOT NULL,
	number INTEGER NOT NULL,     -- index of the event
	of_feed INTEGER NOT NULL,    -- the first event with the id
	of_number INTEGER NOT NULL
);
CREATE INDEX version_event ON version (feed, number);
CREATE INDEX version_of ON version (of_feed, of_number);

-- How far an output has given receipts; what lies between its position and
-- there is held.  Null: up to the position.
ALTER TABLE output ADD COLUMN received INTEGER;
ALTER TABLE output ADD COLUMN received_lines INTEGER;
-- 1: the agent and the output parted so that what is held need not be sent
-- again.
ALTER TABLE output ADD COLUMN orderly INTEGER NOT NULL DEFAULT 0;

-- The bytes of what cannot be an event, until the agent's own feed has them.
ALTER TABLE gap ADD COLUMN event BLOB;
-- The gap that this row closes, since its item was listed again and is fetched
-- after all; 0: none, it is a gap itself.
ALTER TABLE gap ADD COLUMN closes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX gap_item ON gap (item);
CREATE INDEX gap_closes ON gap (closes) WHERE closes <> 0;

-- What stands still, or waits, and why; its roles write it, and it begins anew
-- with them.
CREATE TABLE trouble (
	subject TEXT NOT NULL,       -- a feed, an output, "store" ...
	class TEXT NOT NULL,
	code TEXT NOT NULL,
	text TEXT NOT NULL,
	since INTEGER NOT NULL,
	until INTEGER,               -- waits until then
	stands INTEGER NOT NULL DEFAULT 0, -- 1: nothing gets through
	PRIMARY KEY (subject, class, code)
) WITHOUT ROWID;

-- Why the tree of a feed was begun in place of an earlier one; "" for a feed's
-- first.
ALTER TABLE feed ADD COLUMN cause TEXT NOT NULL DEFAULT '';
-- Trees that were signed and that this store does not have: none of them may
-- begin again.
CREATE TABLE retired (
	tree TEXT PRIMARY KEY,
	cause TEXT NOT NULL
) WITHOUT ROWID;
-- The id of the log in which seal keeps what it signed; one row.
CREATE TABLE signed (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	log TEXT NOT NULL
);

-- Which version of sealfeed brought the store to which version of the schema,
-- and when: what an older one says when it refuses the store.
CREATE TABLE written (
	version INTEGER PRIMARY KEY,
	program TEXT NOT NULL,
	time INTEGER NOT NULL
);

-- When the certificates that the configuration names end.
CREATE TABLE expiry (
	option TEXT PRIMARY KEY,     -- "outputs.siem.tls.ca"
	ends INTEGER NOT NULL
) WITHOUT ROWID;

-- How the events of an item, or a dead letter, came to be asked for (via.h): 0
-- by the feed's own polls, whose items go before all others.
ALTER TABLE item ADD COLUMN via INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dead_letter ADD COLUMN via INTEGER NOT NULL DEFAULT 0;
DROP INDEX item_open;
DROP INDEX item_expiring;
DROP INDEX item_newest;
CREATE INDEX item_open ON item (feed, via, expires, created, state)
	WHERE state = 0;
CREATE INDEX item_expiring ON item (feed, via, expires)
	WHERE state = 0 AND next_try IS NULL;
CREATE INDEX item_newest ON item (feed, via, created)
	WHERE state = 0 AND next_try IS NULL;

-- Spans of time that the command line wants read again, a row a feed; a month
-- longer than they take.
CREATE TABLE backfill (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed TEXT NOT NULL,          -- "contoso/Audit.Exchange"
	since INTEGER NOT NULL,
	until INTEGER NOT NULL,
	reached INTEGER NOT NULL,    -- all before was asked for
	events INTEGER NOT NULL DEFAULT 0,  -- that were new
	repeats INTEGER NOT NULL DEFAULT 0, -- and those that were not
	asked INTEGER NOT NULL,      -- by the command
	begun INTEGER,               -- by the agent
	ended INTEGER,
	how TEXT NOT NULL DEFAULT '',   -- "complete", "cancelled", "refused"
	error TEXT NOT NULL DEFAULT ''  -- of now, or of the end
);
CREATE INDEX backfill_open ON backfill (feed, id) WHERE ended IS NULL;

-- Reconciliation: spans of time that a vendor was asked for by another way than
-- its feeds; five weeks.
CREATE TABLE span (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	subject TEXT NOT NULL,       -- a source, or one feed of it
	chain TEXT NOT NULL DEFAULT '', -- of the vendor's accounts; '': asked for
	since INTEGER NOT NULL,      -- of the events' own times
	until INTEGER NOT NULL,
	query TEXT NOT NULL DEFAULT '', -- the vendor's id of it; '': none runs
	asked INTEGER,               -- when that was asked for
	tries INTEGER NOT NULL DEFAULT 0,   -- queries so far
	listed INTEGER NOT NULL DEFAULT 0,  -- records of the query
	confirmed INTEGER NOT NULL DEFAULT 0, -- of them: the feed had them
	missing INTEGER NOT NULL DEFAULT 0,   -- and those that it had not
	unnamed INTEGER NOT NULL DEFAULT 0,   -- without an id
	ended INTEGER,
	how TEXT NOT NULL DEFAULT '',   -- "complete", "halved", "unconfirmed"
	error TEXT NOT NULL DEFAULT ''  -- of now, or of the end
);
CREATE INDEX span_open ON span (subject, id) WHERE ended IS NULL;
CREATE INDEX span_time ON span (subject, until);
CREATE INDEX span_chain ON span (subject, chain) WHERE chain <> '';

-- Events of feeds that are reconciled, by the hour of their own time and the
-- batch that has them; rows of batches that all outputs have passed are joined.
-- counted: since when; 0: all are, null: none.
ALTER TABLE feed ADD COLUMN counted INTEGER;
CREATE TABLE hour (
	feed INTEGER NOT NULL,
	hour INTEGER NOT NULL,       -- its begin
	batch INTEGER NOT NULL,
	count INTEGER NOT NULL,
	versions INTEGER NOT NULL,   -- of them: another event had the id
	queried INTEGER NOT NULL,    -- and those that the reconciliation brought
	PRIMARY KEY (feed, hour, batch)
) WITHOUT ROWID;

-- How many events of an hour the vendor has named independently, too.
CREATE TABLE confirmed (
	feed TEXT NOT NULL,          -- "contoso/Audit.Exchange"
	hour INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (feed, hour)
) WITHOUT ROWID;

-- Records that the feed did not have when the vendor named them.
CREATE TABLE missing (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed TEXT NOT NULL,
	record TEXT NOT NULL,        -- its id
	time INTEGER NOT NULL,       -- of the event
	found INTEGER NOT NULL,
	UNIQUE (feed, record)
);
CREATE INDEX missing_time ON missing (feed, time);
