-- An operator may release a key that the relay parked: what it skipped is published from `from_position`
-- on, and then the row goes.
alter table relay_parked add column released integer not null default 0 check (released in (0, 1));
