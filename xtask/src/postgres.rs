//! An installed PostgreSQL: where its programs are, and as whom they run.

mod account;
mod binaries;

pub(crate) use account::Account;
pub(crate) use binaries::Binaries;
