-- Users who said where they are, and whether what is open is read there by now.
create table preferences (
    user_id blob primary key,
    version integer not null,
    is_followed integer not null check (is_followed in (0, 1))
) strict;
create index preferences_not_followed on preferences (user_id) where not is_followed;
