//! Many rows in few SQLite statements.
//!
//! SQLite has no arrays, and every statement is a trip to the thread that owns the connection, which
//! costs ten times what writing a row costs. So rows travel as `values (…), (…), …` lists.

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, FromRow, Sqlite, Type};

use crate::Error;

/// How many rows a statement has. So a text has twelve shapes, all of which stay prepared, and any
/// number of rows up to the largest takes three statements at most, mostly two.
const SHAPES: [usize; 12] = [64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];
/// Where the list of rows belongs in a text.
const ROWS: &str = "{rows}";

/// The values of the rows of one statement, row after row.
#[derive(Default)]
pub struct Values {
    arguments: SqliteArguments,
    error: Option<BoxDynError>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.arguments.len()) // What they are is nobody's business in a log.
    }
}

impl Values {
    /// Adds the next value of the row. Every row has the same number of them.
    pub fn bind<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self
    }
}

/// Runs a statement whose text has `{rows}` where a list of rows belongs, in as few statements as
/// possible; returns how many rows it affected. Nothing runs when there are no rows.
///
/// ```
/// # async fn example(conn: &mut database::sqlx::SqliteConnection) -> Result<(), database::Error> {
/// let labels = ["home", "garden"];
/// let insert = "insert into label (task_id, name) values {rows}";
/// database::rows::execute(conn, insert, &labels, |values, label| {
///     values.bind(7_i64).bind(*label);
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
pub async fn execute<T: Sync>(
    conn: &mut SqliteConnection,
    sql: &str,
    rows: &[T],
    values: impl Fn(&mut Values, &T) + Send,
) -> Result<u64, Error> {
    let mut affected = 0;
    for chunk in chunks(rows) {
        let (text, arguments) = statement(sql, chunk, &values)?;
        let done = sqlx::query_with(AssertSqlSafe(text), arguments);
        affected += done.execute(&mut *conn).await?.rows_affected();
    }
    Ok(affected)
}

/// Like [`execute`], for a statement that returns rows: a `returning`, or a select from
/// `(values {rows})`, whose columns SQLite calls `column1`, `column2` and so on.
pub async fn fetch<T: Sync, R>(
    conn: &mut SqliteConnection,
    sql: &str,
    rows: &[T],
    values: impl Fn(&mut Values, &T) + Send,
) -> Result<Vec<R>, Error>
where
    R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let mut found = Vec::new();
    for chunk in chunks(rows) {
        let (text, arguments) = statement(sql, chunk, &values)?;
        let query = sqlx::query_as_with(AssertSqlSafe(text), arguments);
        found.extend(query.fetch_all(&mut *conn).await?);
    }
    Ok(found)
}

/// The fewest slices that have shapes, nearly: each is the largest that what is left fills.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let largest = SHAPES.into_iter().find(|shape| *shape <= rows.len())?;
        let (chunk, rest) = rows.split_at(largest);
        rows = rest;
        Some(chunk)
    })
}

fn statement<T>(
    sql: &str,
    rows: &[T],
    values: impl Fn(&mut Values, &T),
) -> Result<(String, SqliteArguments), Error> {
    let mut all = Values::default();
    for row in rows {
        values(&mut all, row);
    }
    if let Some(error) = all.error {
        return Err(sqlx::Error::Encode(error).into());
    }
    let row = format!(
        "({})",
        vec!["?"; all.arguments.len() / rows.len()].join(",")
    );
    let text = sql.replace(ROWS, &vec![row.as_str(); rows.len()].join(","));
    Ok((text, all.arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_rows_goes_whole_and_in_order_in_few_chunks() {
        for count in 0..300 {
            let rows: Vec<usize> = (0..count).collect();
            let lengths: Vec<usize> = chunks(&rows).map(<[usize]>::len).collect();

            assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
            assert!(lengths.len() <= count / SHAPES[0] + 3, "{lengths:?}");
            assert!(lengths.iter().all(|length| SHAPES.contains(length)));
        }
    }

    #[test]
    fn the_list_of_rows_has_a_place_for_every_value() {
        let (text, arguments) = statement(
            "insert into t (a, b) values {rows} returning a",
            &[1, 2],
            |values, row| {
                values.bind(*row).bind("text");
            },
        )
        .unwrap();

        assert_eq!(text, "insert into t (a, b) values (?,?),(?,?) returning a");
        assert_eq!(arguments.len(), 4);
    }
}
