//! What no schema says: that the parts of an overlay fit each other and the topic contract.
//!
//! Each rule has a test in which it fails.

mod gateway;
mod images;
mod kafka;
mod pods;
mod scale;
mod secrets;
mod sidecars;

use event_schema::topic::Profile;

use super::object::Object;
pub(crate) use images::is_pinned;

/// Everything that is wrong with an overlay.
pub(super) fn findings(
    objects: &[Object],
    profile: Profile,
    paths: &[(String, String)],
) -> Vec<String> {
    let mut findings = kafka::findings(objects, profile);
    findings.extend(sidecars::findings(objects));
    findings.extend(secrets::findings(objects));
    findings.extend(images::findings(objects));
    findings.extend(pods::findings(objects));
    findings.extend(scale::findings(objects));
    findings.extend(gateway::findings(objects, paths));
    findings
}

#[cfg(test)]
mod fixture;
