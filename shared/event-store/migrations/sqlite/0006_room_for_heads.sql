-- SQLite changes a head in place already; this keeps the numbers of both databases together.

select 1;
