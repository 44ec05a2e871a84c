//! The service as its callers and its sidecar see it.
