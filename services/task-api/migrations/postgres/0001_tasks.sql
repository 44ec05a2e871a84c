-- Tasks as lists need them: what is filtered by and sorted by. The task itself is read from its stream.

create table tasks (
    task_id uuid primary key,
    owner_id uuid not null,
    version bigint not null,
    status text not null check (status in ('open', 'completed', 'cancelled', 'skipped')),
    parent_id uuid,
    due_rank smallint not null,            -- 0: has a due; 1: has none, and comes last in either direction
    due_at timestamptz not null,        -- a date or floating time as if it were in UTC; the end of time without a due
    created_at timestamptz not null,
    trashed_at timestamptz
);
create index tasks_due on tasks (owner_id, due_rank, due_at, task_id);
create index tasks_created on tasks (owner_id, created_at, task_id);
create index tasks_parent on tasks (parent_id) where parent_id is not null;

create table task_labels (
    task_id uuid not null references tasks (task_id) on delete cascade,
    label text not null,
    primary key (task_id, label)
);
create index task_labels_label on task_labels (label, task_id);
