-- Room in each page lets a changed head stay where it is, so that its index is not written again.

alter table stream set (fillfactor = 70);
