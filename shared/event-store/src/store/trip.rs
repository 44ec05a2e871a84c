//! What a batch asks and writes under the lane's lock: one trip to PostgreSQL.

use database::{Error, Together, Tx};
use sqlx::{PgConnection, SqliteConnection};

/// Statements of one transaction that do not depend on each other, and a number that each of them tells.
///
/// On PostgreSQL they are gathered and run together at the end; on SQLite, which is not a trip away,
/// each runs when it is added.
pub(crate) struct Trip<'t> {
    pub(super) way: Way<'t>,
    numbers: Vec<&'static str>,
    selects: Vec<&'static str>,
    told: Vec<i64>,
}

pub(super) enum Way<'t> {
    Postgres(&'t mut PgConnection, Together),
    Sqlite(&'t mut SqliteConnection),
}

/// The numbers that the statements told.
pub(crate) struct Told(Vec<(&'static str, i64)>);

impl<'t> Trip<'t> {
    pub(crate) fn on(tx: &'t mut Tx) -> Self {
        let way = match tx {
            Tx::Postgres(tx) => Way::Postgres(&mut *tx, Together::default()),
            Tx::Sqlite(tx) => Way::Sqlite(&mut *tx),
        };
        Self {
            way,
            numbers: Vec::new(),
            selects: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Says with which `select` a gathered part will tell its number.
    pub(super) fn will_tell(&mut self, number: &'static str, select: &'static str) {
        self.numbers.push(number);
        self.selects.push(select);
    }

    /// Takes the number of a statement that has run.
    pub(super) fn tells(&mut self, number: &'static str, told: i64) {
        self.numbers.push(number);
        self.told.push(told);
    }

    /// Runs what is left to run.
    pub(crate) async fn end(self) -> Result<Told, Error> {
        let mut told = self.told;
        if let Way::Postgres(conn, together) = self.way
            && !together.is_empty()
        {
            let selects: Vec<String> = self.selects.iter().map(|one| format!("({one})")).collect();
            let select = format!("select array[{}]::bigint[]", selects.join(", "));
            let rows: Vec<(Vec<i64>,)> = together.ask(conn, &select).await?;
            told = rows.into_iter().flat_map(|(numbers,)| numbers).collect();
        }
        Ok(Told(self.numbers.into_iter().zip(told).collect()))
    }
}

impl Told {
    /// What a statement told; `None` when it was not part of the trip.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        let found = self.0.iter().find(|(number, _)| *number == name);
        found.map(|(_, told)| *told)
    }

    /// Whether a statement did as much as it had to, if it was part of the trip.
    pub(crate) fn is(&self, name: &str, wanted: usize) -> bool {
        let told = self.number(name);
        told.is_none_or(|told| usize::try_from(told).ok() == Some(wanted))
    }
}
