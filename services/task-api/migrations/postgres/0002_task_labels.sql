-- Labels without what no reader uses: rows made from the log in one transaction need no foreign key, whose
-- check cost more than the row, and lists look a label up by its task. Room in each page lets a changed
-- task stay where it is, so that its indexes are not written again.

alter table task_labels drop constraint task_labels_task_id_fkey;
drop index task_labels_label;
alter table tasks set (fillfactor = 80);
