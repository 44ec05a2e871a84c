//! The rows of projections, against those that follow from the log.

use database::Tx;

use super::{MOST_FINDINGS, Verification};
use crate::Error;
use crate::catalog::Catalog;
use crate::projection::Tables;
use crate::store::{difference, tables};

/// Makes temporary tables for the rows that follow from the log.
pub(super) async fn expect(tx: &mut Tx, catalog: &Catalog) -> Result<(), Error> {
    for projection in catalog.projections() {
        difference::hold(tx, projection.tables()).await?;
    }
    for projection in catalog.projections() {
        tables::create(tx, projection.tables(), Tables::EXPECTED).await?;
    }
    Ok(())
}

/// Compares both ways, when all events have been folded.
pub(super) async fn compare(
    tx: &mut Tx,
    catalog: &Catalog,
    found: &mut Verification,
) -> Result<(), Error> {
    let tables = catalog
        .projections()
        .iter()
        .flat_map(|projection| projection.tables());
    for table in tables {
        found.rows += difference::count(tx, table).await?;
        for row in difference::rows(tx, table, MOST_FINDINGS).await? {
            found.find(row);
        }
    }
    Ok(())
}
