-- In which version of its shape a head's state is written, so that it is brought to today's when it is
-- read. Version 1 is what was written before there were others.

alter table stream add column state_version integer not null default 1 check (state_version > 0);
