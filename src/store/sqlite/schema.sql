-- The model of the first form. Texts, integers and blobs only, no clauses that PostgreSQL lacks.
-- Columns named sealed_… hold what was encrypted before it came here.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE lane (
  flow TEXT NOT NULL, key TEXT NOT NULL, label TEXT, arrived BIGINT NOT NULL, first SMALLINT NOT NULL, state TEXT NOT NULL,
  version TEXT NOT NULL, stamp TEXT, delivered TEXT, due BIGINT NOT NULL, attempt INTEGER NOT NULL,
  sealed_matched BLOB, was TEXT, grouped TEXT, plan TEXT, sealed_reasons BLOB, updated BIGINT NOT NULL,
  PRIMARY KEY (flow, key)
) WITHOUT ROWID;
CREATE INDEX lane_open ON lane (flow, state, first, arrived) WHERE state IN ('fetch', 'waiting');
CREATE INDEX lane_state ON lane (state, updated);
CREATE INDEX lane_group ON lane (flow, grouped) WHERE grouped IS NOT NULL;
CREATE INDEX lane_label ON lane (label);

-- Apart from their lanes, which are written far more often than they are.
CREATE TABLE body (flow TEXT NOT NULL, key TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (flow, key));

CREATE TABLE entry (
  id BIGINT PRIMARY KEY, flow TEXT NOT NULL, lane TEXT NOT NULL, version TEXT NOT NULL, write TEXT NOT NULL, after TEXT,
  connection TEXT NOT NULL, object TEXT NOT NULL, op TEXT NOT NULL, key TEXT, key_field TEXT, target TEXT,
  class SMALLINT NOT NULL, review_doubt SMALLINT NOT NULL, state TEXT NOT NULL, first SMALLINT NOT NULL, attempt INTEGER NOT NULL,
  due BIGINT NOT NULL, sent BIGINT, doubted BIGINT, epoch BIGINT NOT NULL,
  hash TEXT NOT NULL, plan TEXT NOT NULL, created BIGINT NOT NULL
);
-- Apart for the same reason: an entry moves from state to state, its payload stays.
CREATE TABLE payload (id BIGINT PRIMARY KEY, sealed_body BLOB NOT NULL, sealed_held BLOB, sealed_result BLOB, sealed_error BLOB);
CREATE INDEX entry_lane ON entry (flow, lane);

CREATE TABLE ledger (
  connection TEXT NOT NULL, object TEXT NOT NULL, key TEXT NOT NULL, id TEXT, fields TEXT NOT NULL, confirmed BIGINT NOT NULL,
  PRIMARY KEY (connection, object, key)
) WITHOUT ROWID;

CREATE TABLE exception (
  id BIGINT PRIMARY KEY, flow TEXT NOT NULL, lane TEXT NOT NULL, label TEXT, code TEXT NOT NULL, sealed_reasons BLOB,
  next TEXT NOT NULL, owner TEXT, before BIGINT, parked SMALLINT NOT NULL, opened BIGINT NOT NULL, closed BIGINT, closed_by TEXT,
  alerted SMALLINT NOT NULL
);
CREATE INDEX exception_lane ON exception (flow, lane);
CREATE INDEX exception_open ON exception (before, opened) WHERE closed IS NULL;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at BIGINT NOT NULL, flow TEXT NOT NULL, lane TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
  exchange BIGINT
);
CREATE INDEX event_lane ON event (lane, flow);

CREATE TABLE exchange (
  id BIGINT PRIMARY KEY, at BIGINT NOT NULL, connection TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER,
  took BIGINT NOT NULL, request TEXT, response TEXT, broken TEXT, plan TEXT NOT NULL
);

CREATE TABLE checkpoint (
  flow TEXT NOT NULL, stream TEXT NOT NULL, cursor TEXT, more SMALLINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (flow, stream)
) WITHOUT ROWID;

CREATE TABLE hint (id BIGINT PRIMARY KEY, connection TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL, at BIGINT NOT NULL);

CREATE TABLE watch (
  name TEXT NOT NULL, flow TEXT NOT NULL, lane TEXT NOT NULL, since BIGINT NOT NULL, due BIGINT NOT NULL,
  PRIMARY KEY (name, flow, lane)
) WITHOUT ROWID;
CREATE INDEX watch_due ON watch (due);

CREATE TABLE link (
  flow TEXT NOT NULL, lane TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (flow, lane, object, id)
) WITHOUT ROWID;
CREATE INDEX link_node ON link (id, object);

CREATE TABLE control (id INTEGER PRIMARY KEY, sealed_body BLOB NOT NULL, at BIGINT NOT NULL, sealed_answer BLOB);
