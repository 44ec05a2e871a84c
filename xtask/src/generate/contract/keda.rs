//! `k8s/keda/scale.yaml`: how many replicas a subscriber has, by what it is behind on each of its topics.

use std::fmt::Write as _;

use event_schema::App;
use event_schema::topic::{Contract, Profile, contracts};

pub(super) const PATH: &str = "k8s/keda/scale.yaml";

const HEADER: &str = "# Written by `cargo xtask contract` from shared/event-schema. Do not edit.\n";
/// KEDA asks from its own namespace.
const BROKERS: &str = "tasks-kafka-bootstrap.taskledger.svc:9093";
/// What one replica is expected to have before it; half a second of what it processes.
const LAG_PER_REPLICA: u32 = 500;

pub(super) fn text() -> String {
    let principals = App::ALL
        .into_iter()
        .fold(PRINCIPALS.to_owned(), |text, app| {
            text + &format!("  {0}: {0}\n", app.principal())
        });
    App::ALL
        .into_iter()
        .fold(HEADER.to_owned() + &principals, |text, app| {
            text + &authentication(app) + &scaled(app)
        })
}

/// A user's name is no secret, and KEDA takes it from an object only.
const PRINCIPALS: &str = "---
apiVersion: v1
kind: ConfigMap
metadata:
  name: kafka-principals
data:
";

fn authentication(app: App) -> String {
    let name = app.principal();
    format!(
        "---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: {name}
spec:
  configMapTargetRef:
    - {{parameter: username, name: kafka-principals, key: {name}}}
  secretTargetRef:
    - {{parameter: password, name: {name}, key: password}}
    - {{parameter: ca, name: tasks-cluster-ca-cert, key: ca.crt}}
"
    )
}

fn scaled(app: App) -> String {
    let id = app.id();
    let topics: Vec<_> = contracts()
        .filter(|contract| contract.consumers.contains(&app))
        .collect();
    let mut text = format!(
        "---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {id}
spec:
  scaleTargetRef: {{name: {id}}}
  minReplicaCount: 2
  maxReplicaCount: {}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown: {{stabilizationWindowSeconds: 600}}
  triggers:
    - type: cpu
      metricType: Utilization
      metadata: {{containerName: service, value: \"300\"}}
",
        most(&topics)
    );
    for topic in topics {
        let _ = write!(
            text,
            "    - type: kafka
      authenticationRef: {{name: {}}}
      metadata:
        bootstrapServers: {BROKERS}
        consumerGroup: {id}
        topic: {}
        lagThreshold: \"{LAG_PER_REPLICA}\"
        offsetResetPolicy: earliest
        sasl: scram_sha512
        tls: enable
",
            app.principal(),
            topic.name
        );
    }
    text
}

/// A replica more than partitions has nothing to read.
fn most(topics: &[Contract]) -> u16 {
    let partitions = topics
        .iter()
        .map(|topic| topic.partitions(Profile::Production));
    partitions.max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_has_a_partition_to_read() {
        let text = scaled(App::TaskApi);
        assert!(text.contains("  maxReplicaCount: 3\n"), "{text}");
        assert_eq!(text.matches("type: kafka").count(), 2);
        assert!(scaled(App::Notifier).contains("  maxReplicaCount: 6\n"));
    }
}
