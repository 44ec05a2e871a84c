//! Extractors whose refusals are problems.

mod body;
mod call;
mod hash;
mod params;
mod patch;
mod strict;
mod typed;
mod wording;

pub(crate) use body::too_large;
pub use body::{Json, MergePatch};
pub use call::{Call, IdempotencyKey};
pub use hash::request_hash;
pub use params::{Path, Query};
pub use patch::Patch;
