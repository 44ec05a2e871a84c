-- Partitions are numbered once; the number is the upper part of every record's position.
create table if not exists partitions (
    partition_id integer primary key,
    topic text not null,
    partition integer not null,
    -- Kept apart from the records, because retention may delete the newest of them.
    next_offset integer not null default 0,
    unique (topic, partition)
);

-- position = partition_id * 2^40 + offset: one b-tree, in which a partition is one range.
create table if not exists records (
    position integer primary key,
    timestamp integer not null, -- milliseconds since 1970
    key text,
    value blob,                 -- null is a tombstone
    headers text                -- JSON object, null when there are none
);

create table if not exists offsets (
    consumer_group text not null,
    partition_id integer not null,
    next_offset integer not null,
    primary key (consumer_group, partition_id)
) without rowid;
