-- Occurrences that were taken back, because the one before them was opened again: until they come again
-- they are none of their series.
alter table tasks add column withdrawn integer not null default 0 check (withdrawn in (0, 1));
