//! Projections whose rows were made by an older version of themselves, or were never made.

use database::Tx;

use super::{Progress, Rebuild, RebuildError, Rebuilt};
use crate::Error;
use crate::projection::{Made, Projection};
use crate::store::{alone, events, projections};

/// A projection whose rows are not what this code makes of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Its name.
    pub projection: &'static str,
    /// Whether its rows were never made: it is new, and the log is not. Otherwise they are as an older
    /// version made them.
    pub is_unfilled: bool,
}

impl Rebuild<'_> {
    /// The projections whose rows are not what this code makes of the log. Call it before anything is
    /// appended: of a log that is empty, all are as they should be, which is recorded.
    ///
    /// Rows that a newer version made are left alone: two versions that run side by side for a while are
    /// not to take turns.
    pub async fn stale(&self) -> Result<Vec<Stale>, Error> {
        let mut tx = self.database.read().await?;
        let known = projections::load(&mut tx).await?;
        tx.rollback().await?;
        let all = self.catalog.projections().iter();
        let is_old = |one: &&dyn Projection| {
            let known = known.get(one.name());
            known.is_none_or(|known| known.as_ref() < one.made())
        };
        let old: Vec<&dyn Projection> = all.map(AsRef::as_ref).filter(is_old).collect();
        if old.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.database.begin().await?;
        events::lock_lane(&mut tx).await?;
        let mut stale = Vec::new();
        for projection in old {
            stale.extend(judge(&mut tx, projection).await?);
        }
        tx.commit().await?;
        Ok(stale)
    }

    /// Rebuilds a projection if its rows are still not what this code makes of the log: another replica
    /// may have been faster. `None` if so.
    pub async fn refresh(
        &self,
        projection: &str,
        progress: impl FnMut(Progress),
    ) -> Result<Option<Rebuilt>, RebuildError> {
        let projection = self.find(projection)?;
        let alone = alone::claim(self.database).await?;
        let alone = alone.ok_or(RebuildError::AlreadyRunning)?;
        let stale = self.stale().await?;
        let is_stale = stale.iter().any(|one| one.projection == projection.name());
        let rebuilt = if is_stale {
            Some(self.work(projection, progress).await?)
        } else {
            None
        };
        alone.release().await?;
        Ok(rebuilt)
    }
}

/// Under the lane's lock, so that nothing is appended meanwhile.
async fn judge(tx: &mut Tx, projection: &dyn Projection) -> Result<Option<Stale>, Error> {
    let name = projection.name();
    let known = projections::load(tx).await?.remove(name);
    if events::last_position(tx).await? == 0 {
        projections::record(tx, name, &projection.made()).await?;
        return Ok(None);
    }
    let is_unfilled = match &known {
        Some(known) => known.version == 0,
        None => holds_nothing(tx, projection).await?,
    };
    if is_unfilled && known.is_none() {
        let unmade = Made {
            version: 0,
            rules: "",
        };
        projections::record(tx, name, &unmade).await?;
    }
    Ok(Some(Stale {
        projection: name,
        is_unfilled,
    }))
}

async fn holds_nothing(tx: &mut Tx, projection: &dyn Projection) -> Result<bool, Error> {
    for table in projection.tables() {
        if !projections::is_empty(tx, table).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
