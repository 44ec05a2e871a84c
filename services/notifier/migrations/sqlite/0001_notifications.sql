-- Notifications as the inbox needs them: whose they are, what is filtered by and sorted by. The
-- notification itself is read from its stream.

create table notifications (
    notification_id blob primary key,
    owner_id blob not null,
    kind text not null check (kind in ('reminder.fired', 'reminder.missed', 'series.ended')),
    created_at text not null,
    read_at text
) strict;
create index notifications_owner on notifications (owner_id, created_at, notification_id);
create index notifications_unread on notifications (owner_id, created_at, notification_id)
    where read_at is null;
