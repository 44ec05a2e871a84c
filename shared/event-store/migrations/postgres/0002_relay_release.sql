-- An operator may release a key that the relay parked: what it skipped is published from `from_position`
-- on, and then the row goes.
alter table relay_parked add column released boolean not null default false;
