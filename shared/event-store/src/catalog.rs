//! What a service's ledger holds: the kinds of its streams, and the tables that are made from them.

use std::fmt;
use std::sync::Arc;

use event_schema::{Decoded, Envelope, decode};

use crate::head::{Snapshot, Typed};
use crate::verify::Fold;
use crate::verify::stream::TypedFold;
use crate::{Aggregate, Projection};

/// What a service's ledger holds: the kinds of its streams, and the tables that are made from them.
///
/// Whoever goes through a whole log needs it: `verify` and `rebuild`.
#[derive(Clone, Default)]
pub struct Catalog {
    kinds: Vec<Kind>,
    projections: Vec<Arc<dyn Projection>>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds.iter().map(|kind| kind.name);
        let projections = self.projections.iter().map(|projection| projection.name());
        f.debug_struct("Catalog")
            .field("kinds", &kinds.collect::<Vec<_>>())
            .field("projections", &projections.collect::<Vec<_>>())
            .finish()
    }
}

/// A kind of stream whose type nobody here knows.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The state that an event carries.
    pub(crate) state: fn(&Envelope) -> Result<Arc<dyn Snapshot>, String>,
    /// An empty stream, to fold its events into.
    pub(crate) fold: fn() -> Box<dyn Fold>,
}

impl Catalog {
    /// A catalog of these projections and no kind of stream yet.
    pub fn new(projections: Vec<Arc<dyn Projection>>) -> Self {
        Self {
            kinds: Vec::new(),
            projections,
        }
    }

    /// Knows streams of this kind.
    #[must_use]
    pub fn kind<A: Aggregate>(mut self) -> Self {
        self.kinds.push(Kind {
            name: A::KIND,
            state: state_of::<A>,
            fold: || Box::new(TypedFold::<A>::default()),
        });
        self
    }

    /// The names of the projections.
    pub fn projection_names(&self) -> Vec<&'static str> {
        let names = self.projections.iter().map(|projection| projection.name());
        names.collect()
    }

    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(crate) fn find(&self, kind: &str) -> Option<&Kind> {
        self.kinds.iter().find(|known| known.name == kind)
    }

    /// The projections.
    pub fn projections(&self) -> &[Arc<dyn Projection>] {
        &self.projections
    }

    pub(crate) fn projection(&self, name: &str) -> Option<&dyn Projection> {
        let found = self.projections.iter().find(|known| known.name() == name);
        found.map(AsRef::as_ref)
    }
}

fn state_of<A: Aggregate>(envelope: &Envelope) -> Result<Arc<dyn Snapshot>, String> {
    match decode::<A::Events>(envelope) {
        Ok(Decoded::Known(data)) => Ok(Arc::new(Typed::<A>::new(data.state))),
        Ok(Decoded::Unknown) => Err(format!("its type {} is unknown", envelope.event_type)),
        Err(error) => Err(error.to_string()),
    }
}
