//! What an operator can do about a publish that fails, by what the sidecar says.

const COMPONENT: &str = "does the sidecar load kafka-pubsub.yaml, and the secret store that it names, from its \
                         --resources-path, is this app in its scopes, and is its name PUBSUB_NAME?";
const TOKEN: &str = "give the service and its sidecar the same DAPR_API_TOKEN";

/// Parts of what is said, and what to do. A cause stands before what follows from it.
const ADVICE: [(&[&str], &str); 18] = [
    (
        &["no answer from the sidecar"],
        "is daprd running, and does DAPR_HTTP_PORT or DAPR_HTTP_ENDPOINT name it? When it ends at once, the last line \
         of its log says why: a wrong password, a certificate, no broker",
    ),
    (&["invalid api token"], TOKEN),
    (&["answered 401 instead of its metadata"], TOKEN),
    (
        &["instead of its metadata"],
        "allow metadata in the sidecar's Configuration, as config.yaml does",
    ),
    (&["ERR_PUBSUB_NOT_FOUND"], COMPONENT),
    (&["ERR_PUBSUB_NOT_CONFIGURED"], COMPONENT),
    (
        &["ERR_PUBSUB_FORBIDDEN"],
        "publishingScopes in kafka-pubsub.yaml lacks it: take the file that `cargo xtask contract` writes",
    ),
    (
        &["not authorized to access this topic"],
        "the principal lacks Write and Describe on the topic: run tools/kafka/create-topics.sh",
    ),
    (
        &["topic or partition that does not exist"],
        "make the topic: run tools/kafka/create-topics.sh",
    ),
    (
        &["SASL", "SCRAM-SHA"],
        "Kafka refuses the sidecar's user or password: give it the one that its secret store has, or mend the secret \
         and restart the sidecar",
    ),
    (
        &["SASL"],
        "Kafka does not log the sidecar in: see user, password and saslMechanism of its component",
    ),
    (
        &["x509", " is after "],
        "the broker's certificate has ended: give the broker another; or this machine's clock is ahead: set it",
    ),
    (
        &["x509", " is before "],
        "the broker's certificate is not valid yet: this machine's clock is behind, or that of who made the certificate: \
         set it, or wait",
    ),
    (
        &["x509", "unknown authority"],
        "the broker's certificate is of another authority than the caCert in the sidecar's secret store: give it that \
         one and restart the sidecar",
    ),
    (
        &["x509"],
        "the sidecar does not believe the broker's certificate: see docs/kafka.md",
    ),
    (
        &["run out of available brokers"],
        "no broker of KAFKA_BROKERS can be reached",
    ),
    (
        &["context deadline exceeded"],
        "the broker did not answer the sidecar in time: is it away, or overloaded?",
    ),
    (
        &["circuit breaker is open"],
        "the sidecar could not reach a broker and rests for ten seconds: the lines before this one, and its own log, \
         say why",
    ),
];

/// A reason, with what an operator can do about it when that is known.
pub fn advised(reason: &str) -> String {
    match advice(reason) {
        Some(advice) => format!("{reason}: {advice}"),
        None => reason.to_owned(),
    }
}

fn advice(reason: &str) -> Option<&'static str> {
    let known = ADVICE
        .iter()
        .find(|(said, _)| said.iter().all(|part| reason.contains(part)));
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
        assert_eq!(advised("the disk is full"), "the disk is full");
    }

    /// As daprd 1.14 says it, all behind the same words.
    #[test]
    fn what_keeps_the_sidecar_from_the_broker_has_advice_of_its_own() {
        let behind = "kafka: client has run out of available brokers to talk to: ";
        let x509 = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time \
                    2026-11-23T02:20:20Z is ";
        for (said, remedy) in [
            ("dial tcp 127.0.0.1:9094: connect: connection refused".to_owned(), "KAFKA_BROKERS"),
            (
                "kafka server: SASL Authentication failed: Authentication failed during authentication due to invalid \
                 credentials with SASL mechanism SCRAM-SHA-512"
                    .to_owned(),
                "user or password",
            ),
            (format!("{x509}after 2025-01-01T00:00:00Z"), "has ended"),
            (format!("{x509}before 2100-01-01T00:00:00Z"), "not valid yet"),
            (
                "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned(),
                "caCert",
            ),
        ] {
            let reason = format!("{behind}{said}");
            assert!(advised(&reason).contains(remedy), "{}", advised(&reason));
        }
    }
}
