-- Which tasks are occurrences, and series as lists need them. The text of a slot sorts as its civil time does.

alter table tasks add column series_id blob;
alter table tasks add column slot text;
update tasks
   set series_id = unhex(replace(s.state ->> 'series_id', '-', '')), slot = s.state ->> 'slot'
  from stream s
 where s.kind = 'task' and s.stream_id = tasks.task_id and s.state ->> 'series_id' is not null;
create unique index tasks_series on tasks (series_id, slot) where series_id is not null;

create table series (
    series_id blob primary key,
    owner_id blob not null,
    version integer not null,
    status text not null check (status in ('active', 'paused', 'ended')),
    created_at text not null
) strict;
create index series_created on series (owner_id, created_at, series_id);
insert into series
select stream_id, owner_id, version, state ->> 'status', replace(state ->> 'created_at', 'Z', '+00:00')
  from stream where kind = 'series';
