//! Where the stack keeps its certificates. They live as long as the stack.

use super::layout::Layout;
pub(super) use crate::certificates::BROKER;
use crate::certificates::Certificates;

pub(super) const CA: &str = "secrets/ca.pem";

/// A broker's key store.
pub(super) fn key_store(node: u16) -> String {
    format!("secrets/kafka-{node}.pem")
}

/// Makes the authority and one certificate per broker.
pub(super) fn make(layout: &Layout) -> anyhow::Result<()> {
    if layout.path(CA).exists() {
        return Ok(());
    }
    let made = Certificates::make(layout.brokers, &["127.0.0.1", "localhost"])?;
    for (node, key_store_text) in (1..).zip(&made.key_stores) {
        layout.write(&key_store(node), key_store_text)?;
    }
    layout.write(CA, &made.authority)?;
    Ok(())
}
