-- By which zone rules the reminders of each task were planned, so that those that were planned by older
-- ones are found.

create table plans (
    task_id blob primary key,
    owner_id blob not null,
    tzdb_version text not null
) strict, without rowid;
create index plans_tzdb_version on plans (tzdb_version, task_id);
insert into plans
select stream_id, owner_id, state ->> 'tzdb_version' from stream where kind = 'reminders';
