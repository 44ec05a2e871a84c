//! How long a test runs: short by default, as long as the environment says by hand.

use std::fmt::Debug;
use std::str::FromStr;

/// The number in an environment variable, or the usual one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to say it on"
)]
pub(crate) fn scaled<T: FromStr<Err: Debug>>(name: &str, usual: T) -> T {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}
