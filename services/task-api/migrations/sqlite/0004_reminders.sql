-- Reminders as they are looked up and listed: whose they are, how they stand for which time, and when they
-- are told next. Those of tasks that are there already come with `taskledger ledger rebuild --projection reminders`.

create table reminders (
    reminder_id blob not null,
    task_id blob not null,
    owner_id blob not null,
    state text not null check (state in ('scheduled', 'fired', 'snoozed', 'dismissed', 'acknowledged',
                                         'missed', 'cancelled')),
    at text,
    next_at text,
    primary key (reminder_id, task_id)
) strict;
create index reminders_task on reminders (task_id);
create index reminders_next on reminders (owner_id, next_at, reminder_id) where next_at is not null;
create index reminders_state on reminders (owner_id, state, at, reminder_id) where at is not null;
