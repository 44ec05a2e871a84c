-- Occurrences that were taken back, because the one before them was opened again: until they come again
-- they are none of their series.
alter table tasks add column withdrawn boolean not null default false;
