//! Several statements in one trip to a PostgreSQL server.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{
    Arguments as _, AssertSqlSafe, Encode, FromRow, PgConnection, Postgres, SqlSafeStr, Type,
};

use crate::Error;

/// Statements that PostgreSQL runs as one: each is a part of the same `with`.
///
/// A statement of its own costs a trip to the server and back, and on a busy machine both sides wait
/// for their turn at each end of it. Parts cost one trip together. The price is that all of them see
/// the tables as they were before: none sees what another writes, so no two may write the same row.
///
/// ```
/// # async fn example(conn: &mut database::sqlx::PgConnection) -> Result<(), database::Error> {
/// let mut together = database::Together::default();
/// together
///     .part("task", "insert into task (id, title) values ($1, $2) returning id")
///     .bind(7_i64)
///     .bind("Water the plants");
/// together
///     .part("labels", "insert into label (task_id, name) select $1, * from unnest($2::text[]) returning 1")
///     .bind(7_i64)
///     .bind(["home", "garden"]);
/// let written: Vec<(i64, i64)> = together
///     .ask(conn, "select (select id from task), (select count(*) from labels)")
///     .await?;
/// assert_eq!(written, [(7, 2)]);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Together {
    text: String,
    arguments: PgArguments,
    error: Option<BoxDynError>,
}

impl std::fmt::Debug for Together {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text) // What is bound is nobody's business in a log.
    }
}

impl Together {
    /// Adds a statement under a name that the last one can refer to. Its parameters are `$1`, `$2` and
    /// so on, as if it stood alone; their values are [bound](Self::bind) next. PostgreSQL runs a part
    /// that writes in any case, one that only reads when somebody refers to it.
    pub fn part(&mut self, name: &'static str, sql: impl SqlSafeStr) -> &mut Self {
        let lead = if self.is_empty() { "with " } else { ", " };
        self.text += lead;
        self.text += name;
        self.text += " as (";
        shift(
            sql.into_sql_str().as_str(),
            self.arguments.len(),
            &mut self.text,
        );
        self.text.push(')');
        self
    }

    /// Binds the next parameter of the part that was added last.
    pub fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Whether there is no part.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Runs all parts and `select`, which may refer to them by name and has no parameters.
    ///
    /// # Errors
    ///
    /// As any statement; then none of the parts has happened.
    pub async fn ask<R>(mut self, conn: &mut PgConnection, select: &str) -> Result<Vec<R>, Error>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if let Some(error) = self.error {
            return Err(sqlx::Error::Encode(error).into());
        }
        self.text.push(' ');
        self.text += select;
        let query = sqlx::query_as_with(AssertSqlSafe(self.text), self.arguments);
        // All rows, however few: without a transaction around it, it is committed behind the last one.
        Ok(query.fetch_all(conn).await?)
    }
}

/// Appends a statement with the numbers of its parameters raised. A `$` stands before nothing else.
fn shift(sql: &str, by: usize, into: &mut String) {
    let mut pieces = sql.split('$');
    into.extend(pieces.next());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = piece.split_at(end.unwrap_or(piece.len()));
        let number: usize = number.parse().unwrap_or_default();
        into.push('$');
        into.push_str(&(number + by).to_string());
        into.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_through_all_parts() {
        let mut together = Together::default();
        together.part("a", "select $1, $2, $10::text[] from t where b = $1");
        together.bind(1_i64).bind("two");
        together.part("c", "select $1").bind(3_i64);

        assert_eq!(
            together.text,
            "with a as (select $1, $2, $10::text[] from t where b = $1), c as (select $3)"
        );
        assert_eq!(together.arguments.len(), 3);
    }
}
