-- A row says what lists filter and sort by, and is written when that changes. The version of the task is
-- its stream's: with it here, a new title would have rewritten the row.
alter table tasks drop column version;
