-- By which version of itself the rows of each projection were made, so that a newer one rebuilds them.
-- Version 0: they have not been made from the log yet.

create table projection (
    name text primary key,
    version integer not null check (version >= 0),
    rules text not null
);
