//! What an operator can do about a publish that fails, by what the sidecar says.

/// A part of what is said, and what to do.
const ADVICE: [(&str, &str); 9] = [
    (
        "no answer from the sidecar",
        "is daprd running, and does DAPR_HTTP_PORT or DAPR_HTTP_ENDPOINT name it? When it ends at once, its log says \
         why: a wrong password, a certificate, no broker",
    ),
    (
        "invalid api token",
        "give the service and its sidecar the same DAPR_API_TOKEN",
    ),
    (
        "ERR_PUBSUB_NOT_FOUND",
        "does the sidecar load kafka-pubsub.yaml from its --resources-path, and is its name PUBSUB_NAME?",
    ),
    (
        "ERR_PUBSUB_NOT_CONFIGURED",
        "the sidecar has no pub/sub component: does its --resources-path hold kafka-pubsub.yaml?",
    ),
    (
        "ERR_PUBSUB_FORBIDDEN",
        "publishingScopes in kafka-pubsub.yaml lacks it: take the file that `cargo xtask contract` writes",
    ),
    (
        "not authorized to access this topic",
        "the principal lacks Write and Describe on the topic: run tools/kafka/create-topics.sh",
    ),
    (
        "topic or partition that does not exist",
        "make the topic: run tools/kafka/create-topics.sh",
    ),
    (
        "run out of available brokers",
        "no broker of KAFKA_BROKERS can be reached",
    ),
    (
        "SASL",
        "Kafka refuses the sidecar's name or password: see its secret store",
    ),
];

/// What to do about this reason, when that is known.
pub fn advice(reason: &str) -> Option<&'static str> {
    let known = ADVICE.iter().find(|(said, _)| reason.contains(said));
    known.map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PublishError, Refusal};

    #[test]
    fn a_known_reason_has_advice_and_another_none() {
        let said = br#"{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub x is not found"}"#;
        let refusal = PublishError::Refused(Refusal::new(404, said)).to_string();
        assert!(advice(&refusal).is_some_and(|advice| advice.contains("PUBSUB_NAME")));
        let token = PublishError::Refused(Refusal::new(401, b"invalid api token\n")).to_string();
        assert!(advice(&token).is_some_and(|advice| advice.contains("DAPR_API_TOKEN")));
        let kafka =
            "kafka server: Request was for a topic or partition that does not exist on this broker";
        assert!(advice(kafka).is_some_and(|advice| advice.contains("create-topics.sh")));
        assert_eq!(advice("the disk is full"), None);
    }
}
