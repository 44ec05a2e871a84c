#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod checkpoint;
mod config;
mod connect;
mod error;
mod held;
mod migrate;
mod offset;
pub mod rows;
#[cfg(feature = "testing")]
pub mod testing;
mod together;
mod tx;
mod writer;

pub use checkpoint::Checkpoints;
pub use config::{Config, MigrateMode};
pub use connect::Database;
pub use error::{ConnectError, Error, ResultExt};
pub use held::PgTx;
pub use migrate::{Migration, MigrationSet};
pub use sqlx;
pub use together::Together;
pub use tx::Tx;
pub use writer::{Reader, Writer};
