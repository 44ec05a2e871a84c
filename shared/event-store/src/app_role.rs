//! What a service's own role on PostgreSQL may do: everything but change the past or the tables.

use database::sqlx::{self, AssertSqlSafe};
use database::{Database, Tx};

/// PostgreSQL cuts longer names.
const LONGEST: usize = 63;

/// The role that a service runs as when another one owns its tables. It reads and writes rows; it
/// creates, alters and drops nothing, and the log it only appends to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRole(String);

/// Why a role cannot be let in.
#[derive(Debug, thiserror::Error)]
pub enum AppRoleError {
    /// Not a name that we write into a statement.
    #[error(
        "a role's name has lower-case letters, digits and `_`, and at most {LONGEST} characters"
    )]
    Name,
    /// SQLite has no roles.
    #[error("only PostgreSQL has roles")]
    NoRoles,
    /// The role does not exist, or the tables are somebody else's.
    #[error("the role cannot be let in")]
    Database(#[from] database::Error),
}

impl AppRole {
    /// The role of this name.
    pub fn new(name: &str) -> Result<Self, AppRoleError> {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if begins_well && name.len() <= LONGEST && name.chars().all(known) {
            Ok(Self(name.to_owned()))
        } else {
            Err(AppRoleError::Name)
        }
    }

    /// Grants the role what it needs in a database whose migrations are applied, also of tables that
    /// a rebuild makes later. To be called by the owner of the tables, after every migration.
    pub async fn let_in(&self, database: &Database) -> Result<(), AppRoleError> {
        let mut tx = database.begin().await?;
        let Tx::Postgres(connection) = &mut tx else {
            return Err(AppRoleError::NoRoles);
        };
        for statement in self.statements() {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut **connection)
                .await
                .map_err(database::Error::from)?;
        }
        Ok(tx.commit().await?)
    }

    fn statements(&self) -> [String; 7] {
        let Self(role) = self;
        [
            format!("grant usage on schema public to {role}"),
            format!("grant usage on all sequences in schema public to {role}"),
            format!("grant execute on function as_wanted(bigint[], bigint[]) to {role}"),
            format!(
                "grant select, insert, update, delete on all tables in schema public to {role}"
            ),
            format!(
                "alter default privileges in schema public
                 grant select, insert, update, delete on tables to {role}"
            ),
            format!("revoke update, delete on event from {role}"),
            format!("revoke insert, update, delete on migration from {role}"),
        ]
    }
}
