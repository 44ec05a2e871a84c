-- SQLite's one writer needs no turns; this keeps the numbers of both databases together.

select 1;
