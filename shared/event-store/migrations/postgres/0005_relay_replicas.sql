-- The relays that are alive, so that they share the buckets fairly. A row is renewed with the leases.
create table relay_replica (
    owner uuid primary key,
    lease_until timestamptz not null
);
