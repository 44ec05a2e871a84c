//! PostgreSQL: the statements are made by the catalog's own functions.

use database::{Error, PgTx};
use sqlx::AssertSqlSafe;

use crate::projection::Tables;

type Tx = PgTx;

/// What a copy of the columns lacks. `$1` the table, `$2` the suffix, `$3` all tables that are made,
/// `$4` whether to leave out what only makes reading fast. Keys come first: others refer to them.
const SHAPE: &str = "
    select statement from (
        select 0 as step, '' as name,
               format('alter table %I set (%s)', $1 || $2, array_to_string(reloptions, ', ')) as statement
          from pg_class
         where oid = $1::regclass and reloptions is not null
         union all
        select 1, conname::text,
               format('alter table %I add constraint %I %s', $1 || $2, conname || $2,
                      pg_get_constraintdef(oid))
          from pg_constraint
         where conrelid = $1::regclass and contype in ('p', 'u')
         union all
        select 2, i.relname::text,
               regexp_replace(pg_get_indexdef(i.oid), ' INDEX .+ ON .+ USING ',
                              format(' INDEX %I ON %I USING ', i.relname || $2, $1 || $2))
          from pg_index x join pg_class i on i.oid = x.indexrelid
         where x.indrelid = $1::regclass and (x.indisunique or not $4)
           and not exists (select from pg_constraint where conindid = i.oid and conrelid = x.indrelid)
         union all
        select 3, c.conname::text,
               format('alter table %I add constraint %I %s', $1 || $2, c.conname,
                      case when t.relname = any($3)
                           then replace(pg_get_constraintdef(c.oid), format('REFERENCES %I(', t.relname),
                                        format('REFERENCES %I(', t.relname || $2))
                           else pg_get_constraintdef(c.oid) end)
          from pg_constraint c join pg_class t on t.oid = c.confrelid
         where c.conrelid = $1::regclass and c.contype = 'f' and (t.relname = any($3) or not $4)
    ) as shape order by step, name";

/// Whose the table is and who may use it.
const RIGHTS: &str = "
    select statement from (
        select 1 as step, format('alter table %I owner to %I', $1 || $2, pg_get_userbyid(relowner)) as statement
          from pg_class
         where oid = $1::regclass and pg_get_userbyid(relowner) <> current_user
         union all
        select 2, format('grant %s on %I to %s%s', privilege_type, $1 || $2,
                         case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                         case when is_grantable then ' with grant option' else '' end)
          from pg_class, aclexplode(relacl)
         where oid = $1::regclass and grantee <> relowner
    ) as rights order by step";

const INDEXES: &str = "
    select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
     where x.indrelid = $1::regclass order by 1";

/// The lane waits as long as this, and whoever reads behind us.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '500ms'";

pub(super) async fn create(tx: &mut Tx, tables: &[&str], into: Tables) -> Result<(), Error> {
    let suffix = into.name("");
    let temporary = into == Tables::EXPECTED;
    for table in tables {
        let like = format!("{suffix} (like {table} including all excluding indexes)");
        let create = if temporary {
            format!("create temp table {table}{like} on commit drop")
        } else {
            format!("create table {table}{like}")
        };
        run(tx, create).await?;
        let shape: Vec<(String,)> = sqlx::query_as(SHAPE)
            .bind(*table)
            .bind(&suffix)
            .bind(tables)
            .bind(temporary)
            .fetch_all(&mut **tx)
            .await?;
        for (statement,) in shape {
            run(tx, statement).await?;
        }
    }
    if !temporary {
        for table in tables {
            let rights: Vec<(String,)> = sqlx::query_as(RIGHTS)
                .bind(*table)
                .bind(&suffix)
                .fetch_all(&mut **tx)
                .await?;
            for (statement,) in rights {
                run(tx, statement).await?;
            }
        }
    }
    Ok(())
}

pub(super) async fn switch(tx: &mut Tx, tables: &[&str]) -> Result<(), Error> {
    run(tx, LOCK_TIMEOUT.to_owned()).await?;
    let all = tables.join(", ");
    run(tx, format!("lock table {all} in access exclusive mode")).await?;
    for table in tables {
        let (old, new) = (Tables::OLD.name(table), Tables::NEW.name(table));
        for index in indexes(tx, table).await? {
            let to = Tables::OLD.name(&index);
            run(tx, format!("alter index \"{index}\" rename to \"{to}\"")).await?;
        }
        run(tx, format!("alter table {table} rename to {old}")).await?;
        run(tx, format!("alter table {new} rename to {table}")).await?;
        for index in indexes(tx, table).await? {
            if let Some(to) = index.strip_suffix(&Tables::NEW.name("")) {
                run(tx, format!("alter index \"{index}\" rename to \"{to}\"")).await?;
            }
        }
    }
    Ok(())
}

async fn indexes(tx: &mut Tx, table: &str) -> Result<Vec<String>, Error> {
    let names: Vec<(String,)> = sqlx::query_as(INDEXES)
        .bind(table)
        .fetch_all(&mut **tx)
        .await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

async fn run(tx: &mut Tx, statement: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
