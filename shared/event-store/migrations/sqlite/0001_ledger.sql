-- The ledger of one service: streams, the event log that is also the outbox, and what keeps every
-- effect single.

-- One row per stream: what the next command is decided against.
create table stream (
    kind text not null,
    stream_id blob not null,
    owner_id blob not null,
    version integer not null check (version > 0),
    state text not null,
    updated_at text not null,
    primary key (kind, stream_id)
) strict;

-- The log. Positions are gapless and in the order of commits, because they are drawn under the lane's lock.
create table event (
    position integer primary key,
    kind text not null,
    stream_id blob not null,
    version integer not null,
    event_id blob not null,
    type text not null,
    topic text,                       -- null: stays in this service's ledger
    key blob not null,                -- the partition key
    bucket integer not null,         -- hash of the key: the relay's unit of ownership
    owner_id blob not null,
    envelope text not null,           -- the CloudEvent, byte for byte as it is published
    recorded_at text not null,
    constraint event_stream_version_key unique (kind, stream_id, version)
) strict;
create index event_relay on event (bucket, position) where topic is not null;

create table ledger_position (
    id integer primary key check (id = 0),
    last_position integer not null
) strict;
insert into ledger_position values (0, 0);

-- The answer to a command that named a key; the same key is answered with the same bytes.
create table idempotency (
    owner_id blob not null,
    key text not null,
    request_hash blob not null,
    status integer not null,
    etag integer,
    location text,
    body text not null,
    recorded_at text not null,
    primary key (owner_id, key)
) strict;
create index idempotency_recorded on idempotency (recorded_at);

-- Facts that were processed, by their id.
create table inbox (
    consumer text not null,
    event_id blob not null,
    recorded_at text not null,
    primary key (consumer, event_id)
) strict;
create index inbox_recorded on inbox (recorded_at);

-- The newest version processed per foreign stream: only what is newer has an effect.
create table seen (
    consumer text not null,
    source text not null,
    subject blob not null,
    version integer not null,
    primary key (consumer, source, subject)
) strict;

-- Events that could not be processed, and later ones of the same key that wait behind them. What an
-- operator released is delivered again in the order of the ids.
create table dead_letter (
    dead_letter_id integer primary key autoincrement,
    consumer text not null,
    topic text not null,
    event_id text,
    type text,
    subject text,
    key text,
    version integer,
    envelope blob not null,
    fingerprint blob not null,       -- a redelivery finds its row again
    reason text not null,
    state text not null check (state in ('parked', 'waiting', 'released')),
    recorded_at text not null,
    constraint dead_letter_fingerprint_key unique (consumer, fingerprint)
) strict;
create index dead_letter_consumer_key on dead_letter (consumer, key);

-- What is due when. A projection of the streams' state; claimed by lease.
create table timer (
    kind text not null,
    stream_id blob not null,
    timer_id blob not null,
    fire_at text not null,
    lease_until text not null,        -- 1970: nobody claimed it
    primary key (kind, stream_id, timer_id)
) strict;
-- The next one that can be claimed is found without looking at those in between.
create index timer_due on timer (kind, lease_until, fire_at, timer_id);

-- The relay's sixteen shares of the log: who publishes each, and how far it has come.
create table relay_bucket (
    bucket integer primary key,
    last_position integer not null default 0,
    owner blob,
    fence integer not null default 0,
    lease_until text not null default '2000-01-01T00:00:00+00:00'
) strict;
insert into relay_bucket (bucket)
    values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- Keys whose next event the sidecar refuses for good; everything of the key stays behind it.
create table relay_parked (
    key blob primary key,
    bucket integer not null,
    from_position integer not null,
    reason text not null,
    recorded_at text not null
) strict;
