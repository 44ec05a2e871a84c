//! What a batch asks and writes: one trip to PostgreSQL.

use database::{Error, Together, Tx};
use sqlx::{PgConnection, SqliteConnection};

/// What the function `as_wanted` raises.
const OVERTAKEN: &str = "TL001";

/// Statements of one transaction that do not depend on each other, and numbers that they tell.
///
/// On PostgreSQL they are gathered and run together at the end; on SQLite, which is not a trip away,
/// each runs when it is added.
pub struct Trip<'t> {
    place: Place<'t>,
    numbers: Vec<Number>,
    selects: Vec<&'static str>,
    told: Vec<i64>,
}

enum Place<'t> {
    Postgres(&'t mut PgConnection, Together),
    Sqlite(&'t mut SqliteConnection),
}

/// How a statement becomes part of a [`Trip`].
#[derive(Debug)]
pub enum Way<'w> {
    /// As a part of one statement that sees the tables as they were before it: no two parts may write
    /// the same row.
    Postgres(&'w mut Together),
    /// By running it.
    Sqlite(&'w mut SqliteConnection),
}

/// What is told under a name, and what it has to be.
#[derive(Clone, Copy)]
struct Number {
    name: &'static str,
    wanted: Option<i64>,
}

/// The numbers that the statements told.
pub(crate) struct Told(Vec<(Number, i64)>);

impl std::fmt::Debug for Trip<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trip").finish_non_exhaustive()
    }
}

impl<'t> Trip<'t> {
    pub(crate) fn on(tx: &'t mut Tx) -> Self {
        let place = match tx {
            Tx::Postgres(tx) => Place::Postgres(&mut *tx, Together::default()),
            Tx::Sqlite(tx) => Place::Sqlite(&mut *tx),
        };
        Self {
            place,
            numbers: Vec::new(),
            selects: Vec::new(),
            told: Vec::new(),
        }
    }

    /// How the next statement becomes part of it.
    pub fn way(&mut self) -> Way<'_> {
        match &mut self.place {
            Place::Postgres(_, together) => Way::Postgres(together),
            Place::Sqlite(conn) => Way::Sqlite(conn),
        }
    }

    /// Says with which `select` a gathered part will tell its number.
    pub(super) fn will_tell(
        &mut self,
        name: &'static str,
        select: &'static str,
        wanted: Option<usize>,
    ) {
        self.numbers.push(Number::new(name, wanted));
        self.selects.push(select);
    }

    /// Takes the number of a statement that has run.
    pub(super) fn tells(&mut self, name: &'static str, told: i64, wanted: Option<usize>) {
        self.numbers.push(Number::new(name, wanted));
        self.told.push(told);
    }

    /// Runs what is left to run.
    pub(crate) async fn end(self) -> Result<Told, Error> {
        let mut told = self.told;
        if let Place::Postgres(conn, together) = self.place
            && !together.is_empty()
        {
            let select = format!("select {}", array(&self.selects));
            told = ask(together, conn, &select).await?;
        }
        Ok(Told(self.numbers.into_iter().zip(told).collect()))
    }

    /// Runs everything as one statement that is a transaction by itself, and durable when this returns.
    /// It has [taken its turn](super::events::take_turn). `None` and nothing has happened when somebody
    /// else had the lane's lock, or had written since the statement began to look, or a number is not
    /// as wanted.
    pub(crate) async fn end_alone(self) -> Result<Option<Told>, Error> {
        let Place::Postgres(conn, mut together) = self.place else {
            return Ok(Some(Told(
                self.numbers.into_iter().zip(self.told).collect(),
            )));
        };
        let wanted: Vec<Option<i64>> = self.numbers.iter().map(|number| number.wanted).collect();
        together
            .part("wanted", "select $1::bigint[] as numbers")
            .bind(wanted);
        // The turn comes first: without it no other part runs, and none waits for a row of whoever has
        // the lock, who might wait for one of ours.
        let select = format!(
            "select case when (select p.last_position = d.before and p.turn + 1 = d.turn
                                 from drawn d cross join ledger_position p where p.id = 0)
                         then as_wanted({}, (select numbers from wanted))
                         else as_wanted(null, null) end",
            array(&self.selects)
        );
        match ask(together, conn, &select).await {
            Ok(told) => passed(self.numbers, told).map(Some),
            Err(error) if error.code().as_deref() == Some(OVERTAKEN) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn array(selects: &[&str]) -> String {
    let selects: Vec<String> = selects.iter().map(|one| format!("({one})")).collect();
    format!("array[{}]::bigint[]", selects.join(", "))
}

async fn ask(together: Together, conn: &mut PgConnection, select: &str) -> Result<Vec<i64>, Error> {
    let rows: Vec<(Vec<i64>,)> = together.ask(conn, select).await?;
    Ok(rows.into_iter().flat_map(|(numbers,)| numbers).collect())
}

/// It is committed, so nobody may decide it again: if the server let pass what was not wanted, then
/// what has happened is not known.
fn passed(numbers: Vec<Number>, told: Vec<i64>) -> Result<Told, Error> {
    let told = Told(numbers.into_iter().zip(told).collect());
    if told.are_as_wanted() {
        return Ok(told);
    }
    let what =
        "the function as_wanted is not the one of the migration: it let pass what was not wanted";
    Err(Error::Unavailable(sqlx::Error::Protocol(what.to_owned())))
}

impl Number {
    fn new(name: &'static str, wanted: Option<usize>) -> Self {
        let wanted = wanted.map(|wanted| i64::try_from(wanted).unwrap_or(i64::MAX));
        Self { name, wanted }
    }

    fn is(self, told: i64) -> bool {
        self.wanted.is_none_or(|wanted| wanted == told)
    }
}

impl Told {
    /// What a statement told; `None` when it was not part of the trip.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        let found = self.0.iter().find(|(number, _)| number.name == name);
        found.map(|(_, told)| *told)
    }

    /// Whether this one is as wanted, if it was part of the trip.
    pub(crate) fn is_as_wanted(&self, name: &str) -> bool {
        let mut named = self.0.iter().filter(|(number, _)| number.name == name);
        named.all(|(number, told)| number.is(*told))
    }

    /// Whether all are as wanted.
    pub(crate) fn are_as_wanted(&self) -> bool {
        self.0.iter().all(|(number, told)| number.is(*told))
    }
}
