-- Which tasks are occurrences, and series as lists need them. The text of a slot sorts as its civil time does.

alter table tasks add column series_id uuid;
alter table tasks add column slot text collate "C";
update tasks t
   set series_id = (s.state::jsonb ->> 'series_id')::uuid, slot = s.state::jsonb ->> 'slot'
  from stream s
 where s.kind = 'task' and s.stream_id = t.task_id and s.state::jsonb ->> 'series_id' is not null;
create unique index tasks_series on tasks (series_id, slot) where series_id is not null;

create table series (
    series_id uuid primary key,
    owner_id uuid not null,
    version bigint not null,
    status text not null check (status in ('active', 'paused', 'ended')),
    created_at timestamptz not null
);
create index series_created on series (owner_id, created_at, series_id);
insert into series
select stream_id, owner_id, version, state::jsonb ->> 'status', (state::jsonb ->> 'created_at')::timestamptz
  from stream where kind = 'series';
