-- Checksums of rows, a compact history, counts that need no scan.

-- Flows, objects, kinds of events and other texts of which there are few, by a number.
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
-- A flow's record, by a number: what its events and links point to.
CREATE TABLE record (id INTEGER PRIMARY KEY, flow INTEGER NOT NULL, key TEXT NOT NULL);
CREATE UNIQUE INDEX record_key ON record (key, flow);

-- A second copy of what nothing else could tell: checkpoints and settings.
CREATE TABLE spare (kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, sum BIGINT, PRIMARY KEY (kind, name)) WITHOUT ROWID;

ALTER TABLE meta ADD COLUMN sum BIGINT;
ALTER TABLE lane ADD COLUMN bodied SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN sum BIGINT;
ALTER TABLE lane ADD COLUMN seen_sum BIGINT;
UPDATE lane SET bodied = 1 WHERE EXISTS (SELECT 1 FROM body WHERE body.flow = lane.flow AND body.key = lane.key);
ALTER TABLE entry ADD COLUMN sum BIGINT;
ALTER TABLE entry ADD COLUMN moved_sum BIGINT;
ALTER TABLE ledger ADD COLUMN sum BIGINT;
ALTER TABLE exception ADD COLUMN sum BIGINT;
ALTER TABLE checkpoint ADD COLUMN sum BIGINT;
ALTER TABLE hint ADD COLUMN sum BIGINT;
ALTER TABLE watch ADD COLUMN sum BIGINT;

DROP INDEX lane_state;
CREATE INDEX lane_in_state ON lane (flow, state, updated);
CREATE INDEX lane_key ON lane (key);

-- How many lanes of a flow are in a state.
CREATE TABLE tally (flow TEXT NOT NULL, state TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (flow, state)) WITHOUT ROWID;
INSERT INTO tally (flow, state, count) SELECT flow, state, count(*) FROM lane GROUP BY flow, state;
CREATE TRIGGER lane_made AFTER INSERT ON lane BEGIN
  INSERT INTO tally (flow, state, count) VALUES (new.flow, new.state, 1) ON CONFLICT (flow, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER lane_moved AFTER UPDATE OF state ON lane WHEN old.state <> new.state BEGIN
  UPDATE tally SET count = count - 1 WHERE flow = old.flow AND state = old.state;
  INSERT INTO tally (flow, state, count) VALUES (new.flow, new.state, 1) ON CONFLICT (flow, state) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER lane_dropped AFTER DELETE ON lane BEGIN
  UPDATE tally SET count = count - 1 WHERE flow = old.flow AND state = old.state;
END;

ALTER TABLE event RENAME TO old_event;
DROP INDEX event_lane;
-- `word` is a text that stands in many rows, `text` one of its own.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at BIGINT NOT NULL, record INTEGER NOT NULL, kind INTEGER NOT NULL, word INTEGER, text TEXT, exchange BIGINT, sum BIGINT
);
CREATE INDEX event_record ON event (record);

ALTER TABLE exchange RENAME TO old_exchange;
CREATE TABLE exchange (
  id INTEGER PRIMARY KEY, at BIGINT NOT NULL, connection INTEGER NOT NULL, method INTEGER NOT NULL, path TEXT NOT NULL, status INTEGER,
  took BIGINT NOT NULL, sealed_request BLOB, sealed_response BLOB, broken TEXT, plan INTEGER NOT NULL, sum BIGINT
);

ALTER TABLE link RENAME TO old_link;
DROP INDEX link_node;
CREATE TABLE link (id TEXT NOT NULL, object INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (id, object, record)) WITHOUT ROWID;
CREATE INDEX link_record ON link (record);
