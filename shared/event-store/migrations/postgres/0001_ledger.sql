-- The ledger of one service: streams, the event log that is also the outbox, and what keeps every
-- effect single.

-- One row per stream: what the next command is decided against.
create table stream (
    kind text not null,
    stream_id uuid not null,
    owner_id uuid not null,
    version bigint not null check (version > 0),
    state text not null,
    updated_at timestamptz not null,
    primary key (kind, stream_id)
);

-- The log. Positions are gapless and in the order of commits, because they are drawn under the lane's lock.
create table event (
    position bigint primary key,
    kind text not null,
    stream_id uuid not null,
    version bigint not null,
    event_id uuid not null,
    type text not null,
    topic text,                       -- null: stays in this service's ledger
    key uuid not null,                -- the partition key
    bucket smallint not null,         -- hash of the key: the relay's unit of ownership
    owner_id uuid not null,
    envelope text not null,           -- the CloudEvent, byte for byte as it is published
    recorded_at timestamptz not null,
    constraint event_stream_version_key unique (kind, stream_id, version)
);
create index event_relay on event (bucket, position) where topic is not null;

create table ledger_position (
    id smallint primary key check (id = 0),
    last_position bigint not null
);
insert into ledger_position values (0, 0);

-- The answer to a command that named a key; the same key is answered with the same bytes.
create table idempotency (
    owner_id uuid not null,
    key text not null,
    request_hash bytea not null,
    status smallint not null,
    etag bigint,
    location text,
    body text not null,
    recorded_at timestamptz not null,
    primary key (owner_id, key)
);
create index idempotency_recorded on idempotency (recorded_at);

-- Facts that were processed, by their id.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    recorded_at timestamptz not null,
    primary key (consumer, event_id)
);
create index inbox_recorded on inbox (recorded_at);

-- The newest version processed per foreign stream: only what is newer has an effect.
create table seen (
    consumer text not null,
    source text not null,
    subject uuid not null,
    version bigint not null,
    primary key (consumer, source, subject)
);

-- Events that could not be processed, and later ones of the same key that wait behind them. What an
-- operator released is delivered again in the order of the ids.
create table dead_letter (
    dead_letter_id bigint generated always as identity primary key,
    consumer text not null,
    topic text not null,
    event_id text,
    type text,
    subject text,
    key text,
    version bigint,
    envelope bytea not null,
    fingerprint bytea not null,       -- a redelivery finds its row again
    reason text not null,
    state text not null check (state in ('parked', 'waiting', 'released')),
    recorded_at timestamptz not null,
    constraint dead_letter_fingerprint_key unique (consumer, fingerprint)
);
create index dead_letter_consumer_key on dead_letter (consumer, key);

-- What is due when. A projection of the streams' state; claimed by lease.
create table timer (
    kind text not null,
    stream_id uuid not null,
    timer_id uuid not null,
    fire_at timestamptz not null,
    lease_until timestamptz not null, -- 1970: nobody claimed it
    primary key (kind, stream_id, timer_id)
);
-- The next one that can be claimed is found without looking at those in between.
create index timer_due on timer (kind, lease_until, fire_at, timer_id);

-- The relay's sixteen shares of the log: who publishes each, and how far it has come.
create table relay_bucket (
    bucket smallint primary key,
    last_position bigint not null default 0,
    owner uuid,
    fence bigint not null default 0,
    lease_until timestamptz not null default '2000-01-01 00:00:00+00'
);
insert into relay_bucket (bucket) select * from generate_series(0, 15);

-- Keys whose next event the sidecar refuses for good; everything of the key stays behind it.
create table relay_parked (
    key uuid primary key,
    bucket smallint not null,
    from_position bigint not null,
    reason text not null,
    recorded_at timestamptz not null
);
