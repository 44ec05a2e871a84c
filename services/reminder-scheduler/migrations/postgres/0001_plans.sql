-- By which zone rules the reminders of each task were planned, so that those that were planned by older
-- ones are found.

create table plans (
    task_id uuid primary key,
    owner_id uuid not null,
    tzdb_version text collate "C" not null
);
create index plans_tzdb_version on plans (tzdb_version, task_id);
insert into plans
select stream_id, owner_id, state::json ->> 'tzdb_version' from stream where kind = 'reminders';
