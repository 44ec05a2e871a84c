//! Objects to break, from the files of the repository: what kustomize only puts together needs no
//! kustomize.

use event_schema::App;
use event_schema::topic::Profile;
use serde_json::Value;

use crate::k8s::object::Object;
use crate::root::workspace_root;

/// The cluster, its nodes, topics and users.
pub(super) fn kafka(profile: Profile) -> Vec<Object> {
    let profile = profile.name();
    let mut objects = parsed("k8s/kafka/cluster/kafka.yaml");
    objects.extend(parsed("k8s/kafka/cluster/users.yaml"));
    objects.extend(parsed(&format!("k8s/kafka/{profile}/nodes.yaml")));
    objects.extend(parsed(&format!("k8s/kafka/{profile}/topics.yaml")));
    objects
}

/// The services with all that belongs to them.
pub(super) fn services() -> Vec<Object> {
    let mut objects = kafka(Profile::Local);
    for file in ["kafka-pubsub.yaml", "resiliency.yaml", "config.yaml"] {
        objects.extend(parsed(&format!("dapr-components/{file}")));
    }
    for app in App::ALL {
        for file in ["deployment", "service", "scale", "network"] {
            let text = read(&format!("k8s/service/{file}.yaml"));
            objects.extend(named(&text, app));
        }
        objects.extend(parsed(&format!("k8s/base/{}/account.yaml", app.id())));
    }
    objects
}

/// The same, scaled by KEDA.
pub(super) fn scaled() -> Vec<Object> {
    let mut objects = services();
    objects.retain(|object| object.kind != "HorizontalPodAutoscaler");
    objects.extend(parsed("k8s/keda/scale.yaml"));
    objects
}

/// What k8s/named and the folder of the service do.
fn named(text: &str, app: App) -> Vec<Object> {
    let id = app.id();
    let secret = format!(
        "        dapr.io/env-from-secret: KAFKA_PASSWORD={id}:password,\
         KAFKA_CA_CERT=tasks-cluster-ca-cert:ca.crt\n        dapr.io/env:"
    );
    let text = text
        .replace("        dapr.io/env:", &secret)
        .replace("name: service-", &format!("name: {id}-"))
        .replace("secret: service-", &format!("secret: {id}-"))
        .replace("=service", &format!("={id}"))
        .replace("id: service", &format!("id: {id}"))
        .replace("name: service\n", &format!("name: {id}\n"))
        .replace("name: service}", &format!("name: {id}}}"))
        .replace("Name: service\n", &format!("Name: {id}\n"))
        .replace("- --service, service,", &format!("- --service, {id},"));
    Object::parse(&text).unwrap()
}

pub(super) fn remove(objects: &mut Vec<Object>, kind: &str, name: &str) {
    let before = objects.len();
    objects.retain(|object| (object.kind.as_str(), object.name.as_str()) != (kind, name));
    assert_eq!(objects.len(), before - 1, "{kind} {name}");
}

/// Puts a value where another is, or takes it away with `null`.
pub(super) fn change(objects: &mut [Object], kind: &str, name: &str, pointer: &str, value: Value) {
    let wanted = |object: &&mut Object| object.kind == kind && object.name == name;
    let object = objects.iter_mut().find(wanted).unwrap();
    *object.body.pointer_mut(pointer).unwrap() = value;
}

fn parsed(path: &str) -> Vec<Object> {
    Object::parse(&read(path)).unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace_root().join(path)).unwrap()
}
