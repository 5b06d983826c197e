-- The store of sealfeed: one SQLite file, WAL mode, shared by all roles.
--
-- Times are integers, microseconds since 1970-01-01T00:00:00Z; to read one:
--   SELECT strftime('%Y-%m-%dT%H:%M:%SZ', committed / 1000000, 'unixepoch')
--   FROM batch;
-- Look as you like with `sqlite3 -readonly store.db`; change nothing by hand.
--
-- This is version 1 (PRAGMA user_version), as it was released: what followed is in
-- schema_2.sql.

-- One ordered stream of events of a source.
CREATE TABLE feed (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,          -- "contoso/Audit.Exchange"
	-- The name under which its events travel and are signed.  Differs from
	-- name only when a recovery had to begin a new tree; of rows with the
	-- same name the last one is in use, the others are only delivered.
	tree TEXT NOT NULL UNIQUE,
	cursor TEXT NOT NULL DEFAULT '', -- of the source, JSON
	dedupe INTEGER NOT NULL DEFAULT 0, -- how long ids are kept
	size INTEGER NOT NULL DEFAULT 0,   -- events committed = next index
	sealed INTEGER NOT NULL DEFAULT 0, -- events under a signed checkpoint
	peaks BLOB NOT NULL DEFAULT x'',   -- of the tree with sealed leaves:
	                                   -- 32 bytes each, left to right
	committed INTEGER,           -- last commit with events
	newest INTEGER,              -- newest event time
	due INTEGER,                 -- next poll
	success INTEGER,             -- last poll that succeeded
	failure INTEGER,             -- last poll that did not
	error TEXT NOT NULL DEFAULT '',  -- of now
	horizon INTEGER,             -- everything the vendor made available
	                             -- before was read
	requests INTEGER NOT NULL DEFAULT 0,
	errors INTEGER NOT NULL DEFAULT 0,
	throttled INTEGER NOT NULL DEFAULT 0,
	bytes INTEGER NOT NULL DEFAULT 0,
	duplicates INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX feed_name ON feed (name);

-- Consecutive events of a feed that were committed together.  Ids grow in
-- commit order over all feeds.  Kept for a day (or dedupe, if longer) after
-- every output has passed it, for trace.
CREATE TABLE batch (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed INTEGER NOT NULL,
	first INTEGER NOT NULL,      -- index of the first event
	count INTEGER NOT NULL,
	committed INTEGER NOT NULL,
	oldest INTEGER,              -- event times
	newest INTEGER,
	raw_len INTEGER NOT NULL,    -- bytes of the lines, unpacked
	total_events INTEGER NOT NULL, -- of this and all batches before, over
	total_bytes INTEGER NOT NULL,  -- all feeds: differences are backlogs
	sealed INTEGER,              -- when; null: not yet
	nodes BLOB,                  -- Merkle range of the events; null once
	checks BLOB                  -- sealed, as the four bytes an event
);
CREATE UNIQUE INDEX batch_first ON batch (feed, first);
CREATE INDEX batch_unsealed ON batch (id) WHERE sealed IS NULL;

-- The bulk of a batch, deleted once every output has passed it for as long as
-- agent.retain.
CREATE TABLE payload (
	batch INTEGER PRIMARY KEY,
	lines BLOB NOT NULL,         -- one gzip member of NDJSON lines
	times BLOB NOT NULL          -- event times, packed
);

-- The signed checkpoint that follows a batch; lives as long as the payload.
CREATE TABLE checkpoint (
	batch INTEGER PRIMARY KEY,
	size INTEGER NOT NULL,       -- of the tree
	value TEXT NOT NULL          -- JSON, as it travels
);

-- The ledger: what a vendor listed.
CREATE TABLE item (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed INTEGER NOT NULL,
	key TEXT NOT NULL,           -- the vendor's name for it
	uri TEXT,                    -- null once it is done
	created INTEGER NOT NULL,    -- when the vendor made it available
	expires INTEGER NOT NULL,    -- when the vendor deletes it
	listed INTEGER NOT NULL,     -- when it was first listed here
	state INTEGER NOT NULL DEFAULT 0, -- 0 listed, 1 done, 2 gap
	next_try INTEGER,            -- null: now
	attempts INTEGER NOT NULL DEFAULT 0, -- that failed
	error TEXT NOT NULL DEFAULT '',      -- of the last one
	elements INTEGER NOT NULL DEFAULT 0, -- committed so far
	chain BLOB,                  -- running digest over them
	fetched INTEGER,             -- when the fetch that succeeded began
	done INTEGER
);
CREATE UNIQUE INDEX item_key ON item (feed, key);
CREATE INDEX item_open ON item (feed, expires, created, state)
	WHERE state = 0;
CREATE INDEX item_expiring ON item (feed, expires)
	WHERE state = 0 AND next_try IS NULL;
CREATE INDEX item_newest ON item (feed, created)
	WHERE state = 0 AND next_try IS NULL;
CREATE INDEX item_waiting ON item (feed, next_try)
	WHERE state = 0 AND next_try IS NOT NULL;
CREATE INDEX item_end ON item (expires);

-- Which item the events of a feed came from; as long as the batches.
CREATE TABLE piece (
	feed INTEGER NOT NULL,
	first INTEGER NOT NULL,
	count INTEGER NOT NULL,
	item INTEGER NOT NULL,
	PRIMARY KEY (feed, first)
) WITHOUT ROWID;

-- Recent ids and events, in sorted runs that are merged and, when their bucket
-- of time is older than dedupe, dropped.
CREATE TABLE run (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed INTEGER NOT NULL,
	width INTEGER NOT NULL,      -- of the bucket, microseconds
	bucket INTEGER NOT NULL,     -- time / width
	level INTEGER NOT NULL,      -- how often merged
	count INTEGER NOT NULL,
	first INTEGER NOT NULL,      -- its rows in seen are [first, first
	rows INTEGER NOT NULL        -- + rows)
);
CREATE INDEX run_feed ON run (feed, bucket, level);

-- The entries of a run, up to 1000 in a row: ten bytes of a SHA-256, six
-- bytes of event index, big-endian, ascending over all its rows.  An id has
-- the first bytes of SHA-256(id), and the index of its first event; each event
-- the next ten bytes of SHA-256(SHA-256(id) || leaf hash).
CREATE TABLE seen (
	id INTEGER PRIMARY KEY,
	entries BLOB NOT NULL
);

-- A destination.  Every line of the batches up to position is settled there,
-- and so many lines of the next one.
CREATE TABLE output (
	name TEXT PRIMARY KEY,
	position INTEGER NOT NULL,
	lines INTEGER NOT NULL DEFAULT 0,
	mode TEXT NOT NULL DEFAULT '',
	moved INTEGER,
	error TEXT NOT NULL DEFAULT '',
	failed INTEGER,              -- since when there is an error
	events INTEGER NOT NULL DEFAULT 0,
	bytes INTEGER NOT NULL DEFAULT 0,
	retries INTEGER NOT NULL DEFAULT 0,
	refused INTEGER NOT NULL DEFAULT 0,
	connects INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- When the position of an output passed which batches: all up to batch.
CREATE TABLE passed (
	output TEXT NOT NULL,
	batch INTEGER NOT NULL,
	time INTEGER NOT NULL,
	PRIMARY KEY (output, batch)
) WITHOUT ROWID;
CREATE INDEX passed_time ON passed (output, time);

-- Events that a destination refused for good.
CREATE TABLE dead_letter (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	output TEXT NOT NULL,
	feed TEXT NOT NULL,          -- tree name
	number INTEGER NOT NULL,     -- index of the event
	time INTEGER NOT NULL,       -- when it was refused
	reason TEXT NOT NULL,
	event BLOB NOT NULL,
	event_time INTEGER,
	UNIQUE (output, feed, number)
);

-- What can no longer be read from a vendor.
CREATE TABLE gap (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	feed INTEGER NOT NULL,
	item INTEGER NOT NULL,       -- 0: a span of time
	key TEXT NOT NULL,           -- of the item
	since INTEGER NOT NULL,      -- what the vendor made available from
	until INTEGER NOT NULL,      -- here to there
	recorded INTEGER NOT NULL,
	cause TEXT NOT NULL
);

-- Orders of the command line to a role.
CREATE TABLE request (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,        -- output or source
	number INTEGER NOT NULL,
	argument TEXT NOT NULL,
	made INTEGER NOT NULL
);
