//! Where the stack keeps its certificates, and others to see what happens with them.

use std::fs;

use anyhow::{Context, ensure};
use chrono::NaiveDate;

use super::layout::Layout;
pub(super) use crate::certificates::BROKER;
use crate::certificates::{Authority, Validity};

pub(super) const CA: &str = "secrets/ca.pem";
/// Whom brokers trust.
pub(super) const BROKERS_TRUST: &str = "secrets/brokers-trust.pem";
/// It is nobody's but this stack's, and goes with it.
const CA_KEY: &str = "secrets/ca-key.pem";
const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// From when until when brokers can be believed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct CertificateOptions {
    /// The first day, in UTC: one to come is a clock that is wrong.
    #[arg(long, value_name = "YYYY-MM-DD", default_value_t = Validity::default().from)]
    from: NaiveDate,

    /// The day on which it ends, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD", default_value_t = Validity::default().until)]
    until: NaiveDate,
}

/// A broker's key store.
pub(super) fn key_store(node: u16) -> String {
    format!("secrets/kafka-{node}.pem")
}

/// Makes the authority and one certificate per broker.
pub(super) fn make(layout: &Layout) -> anyhow::Result<()> {
    if layout.path(BROKERS_TRUST).exists() {
        return Ok(());
    }
    let authority = Authority::make()?;
    layout.write(CA, authority.certificate())?;
    layout.write(CA_KEY, &authority.key())?;
    sign(layout, &authority, Validity::default())
}

/// Gives the brokers other certificates of the same authority, which they show once they are started again.
pub(super) fn replace(layout: &Layout, wanted: CertificateOptions) -> anyhow::Result<()> {
    let CertificateOptions { from, until } = wanted;
    ensure!(from < until, "--from has to be before --until");
    let key = layout.path(CA_KEY);
    let key = fs::read_to_string(&key).with_context(|| {
        format!(
            "{}: this stack is older than this command: run `cargo xtask stack down` and `up`",
            key.display()
        )
    })?;
    sign(
        layout,
        &Authority::with_key(&key)?,
        Validity { from, until },
    )
}

/// Brokers trust, beside the authority, each other's certificates themselves: then Java does not ask for
/// dates, and a broker starts with a certificate that clients refuse.
fn sign(layout: &Layout, authority: &Authority, valid: Validity) -> anyhow::Result<()> {
    let mut trusted = fs::read_to_string(layout.path(CA))?;
    for node in 1..=layout.brokers {
        let [key, certificate] = authority.sign(&HOSTS, valid)?;
        layout.write(&key_store(node), &(key + &certificate))?;
        trusted += &certificate;
    }
    layout.write(BROKERS_TRUST, &trusted).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_certificate_is_of_the_same_authority() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::for_test(folder.path(), 3).unwrap();
        let read = |name: &str| fs::read_to_string(layout.path(name)).unwrap();
        make(&layout).unwrap();
        let (authority, first) = (read(CA), read(&key_store(3)));
        make(&layout).unwrap();
        assert_eq!(read(&key_store(3)), first, "it is made once");
        let day = |text: &str| text.parse().unwrap();

        let [from, until] = ["2020-01-01", "2020-02-01"].map(day);
        replace(&layout, CertificateOptions { from, until }).unwrap();

        assert_eq!(read(CA), authority);
        assert_ne!(read(&key_store(3)), first);
        assert_eq!(read(BROKERS_TRUST).matches("BEGIN CERTIFICATE").count(), 4);
        let upside_down = CertificateOptions {
            from: until,
            until: from,
        };
        assert!(replace(&layout, upside_down).is_err());
    }
}
