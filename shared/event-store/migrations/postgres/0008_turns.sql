-- A batch that is written with one statement sees the tables as they were when that began. Whether
-- somebody else has written since is told by the turn, which everybody takes who holds the lane's lock.
alter table ledger_position add column turn bigint not null default 0;

-- Passes on what the parts of such a statement told, or raises that it was overtaken: when it did not
-- get its turn there is nothing to tell; of a number that is null, anything is wanted.
create function as_wanted(told bigint[], wanted bigint[]) returns bigint[]
language plpgsql as $$
begin
    if told is null or exists (
        select 1 from unnest(told, wanted) as t (told, wanted) where t.told is distinct from t.wanted
                                                                 and t.wanted is not null)
    then
        raise exception using errcode = 'TL001', message = 'the batch was overtaken';
    end if;
    return told;
end
$$;
