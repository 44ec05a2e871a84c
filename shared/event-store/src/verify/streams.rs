//! Every stream, kind by kind and in the order of their ids, so that what belongs together meets
//! without being looked up.

use std::collections::BTreeMap;

use database::Tx;
use uuid::Uuid;

use super::stream::Fold;
use super::{PAGE, Verification};
use crate::Error;
use crate::catalog::{Catalog, Kind};
use crate::store::audit::{self, HeadRow, TimerRow};

/// Folds every stream and compares.
pub(super) async fn verify(
    tx: &mut Tx,
    catalog: &Catalog,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut last = String::new();
    while let Some(kind) = audit::kind_after(tx, &last).await? {
        if catalog.find(&kind).is_none() {
            found.find(format!("no service knows streams of kind {kind}"));
        }
        last = kind;
    }
    for kind in catalog.kinds() {
        let mut after = Uuid::nil();
        while let Some(end) = verify_some(tx, kind, after, found).await? {
            after = end;
        }
    }
    Ok(())
}

/// Some streams after one; returns the last of them, unless it was the last of all.
async fn verify_some(
    tx: &mut Tx,
    kind: &Kind,
    after: Uuid,
    found: &mut Verification,
) -> Result<Option<Uuid>, Error> {
    let heads = audit::heads_after(tx, kind.name, after, PAGE).await?;
    let full = i64::try_from(heads.len()) == Ok(PAGE) && !found.is_full();
    let last = heads.last().map(|head| head.stream_id).filter(|_| full);
    let end = last.unwrap_or(Uuid::max());
    found.streams += heads.len() as u64;
    let mut streams = Streams {
        kind,
        heads: heads
            .into_iter()
            .map(|head| (head.stream_id, head))
            .collect(),
        timers: BTreeMap::new(),
        found,
    };
    for timer in audit::timers_within(tx, kind.name, after, end).await? {
        let timers = streams.timers.entry(timer.stream_id).or_default();
        timers.push(timer);
    }
    streams.fold(tx, after, end).await?;
    streams.left_over();
    Ok(last)
}

/// What is written down about some streams, taken out when their events have been folded.
struct Streams<'a> {
    kind: &'a Kind,
    heads: BTreeMap<Uuid, HeadRow>,
    timers: BTreeMap<Uuid, Vec<TimerRow>>,
    found: &'a mut Verification,
}

impl Streams<'_> {
    async fn fold(&mut self, tx: &mut Tx, after: Uuid, end: Uuid) -> Result<(), Error> {
        let mut last = (after, i64::MAX);
        let mut open: Option<(Uuid, Box<dyn Fold>)> = None;
        loop {
            let page = audit::events_within(tx, self.kind.name, last, end, PAGE).await?;
            let Some(row) = page.last() else { break };
            last = (row.stream_id, row.version);
            for row in page {
                let (id, mut fold) = match open.take() {
                    Some(open) if open.0 == row.stream_id => open,
                    ended => {
                        self.end(ended);
                        (row.stream_id, (self.kind.fold)())
                    }
                };
                let mut wrong = Vec::new();
                fold.add(row.version, &row.envelope, &mut wrong);
                self.report(id, wrong);
                open = Some((id, fold));
            }
        }
        self.end(open);
        Ok(())
    }

    /// All events of a stream have been folded.
    fn end(&mut self, stream: Option<(Uuid, Box<dyn Fold>)>) {
        let Some((id, fold)) = stream else { return };
        let mut wrong = Vec::new();
        let timers = self.timers.remove(&id).unwrap_or_default();
        match self.heads.remove(&id) {
            Some(head) => fold.end(&head, &timers, &mut wrong),
            None => wrong.push("has events and no head".to_owned()),
        }
        self.report(id, wrong);
    }

    /// What no event belongs to.
    fn left_over(&mut self) {
        for id in std::mem::take(&mut self.heads).into_keys() {
            self.report(id, vec!["has a head and no events".to_owned()]);
            self.timers.remove(&id);
        }
        for id in std::mem::take(&mut self.timers).into_keys() {
            self.report(id, vec!["has timers and no events".to_owned()]);
        }
    }

    fn report(&mut self, id: Uuid, wrong: Vec<String>) {
        for what in wrong {
            self.found.find(format!("{} {id}: {what}", self.kind.name));
        }
    }
}
