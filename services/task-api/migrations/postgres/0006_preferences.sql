-- Users who said where they are, and whether what is open is read there by now.
create table preferences (
    user_id uuid primary key,
    version bigint not null,
    is_followed boolean not null
);
create index preferences_not_followed on preferences (user_id) where not is_followed;
