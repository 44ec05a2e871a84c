-- Labels without what no reader uses: rows made from the log in one transaction need no foreign key, whose
-- check cost more than the row, and lists look a label up by its task. Its key is the whole row.

create table task_labels_next (
    task_id blob not null,
    label text not null,
    primary key (task_id, label)
) strict, without rowid;
insert into task_labels_next select task_id, label from task_labels;
drop table task_labels;
alter table task_labels_next rename to task_labels;
