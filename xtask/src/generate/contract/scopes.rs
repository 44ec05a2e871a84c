//! The parts of `dapr-components` that follow from the contract: which app may use which topic. The rest
//! of these files is written by people.

use anyhow::{Context, bail};
use event_schema::App;
use event_schema::topic::contracts;

/// Brings the written parts of a component file up to date; files that have none are left as they are.
pub(super) fn scoped(path: &str, text: &str) -> anyhow::Result<String> {
    let mut text = text.to_owned();
    if text.contains("type: pubsub.kafka") {
        for (key, value) in [
            ("publishingScopes", per_app(App::published_topics)),
            ("subscriptionScopes", per_app(App::subscribed_topics)),
            ("protectedTopics", protected()),
        ] {
            let heading = format!("    - name: {key}\n      value: >-\n");
            text = replaced(&text, &heading, "        ", &value).with_context(|| {
                format!("{path}: has no `- name: {key}` with `value: >-` below")
            })?;
        }
    }
    let apps: Vec<_> = App::ALL.map(|app| format!("- {}", app.id())).into();
    if !text.contains("kind: Configuration") {
        text = replaced(&text, "\nscopes:\n", "  ", &apps)
            .with_context(|| format!("{path}: has no `scopes:` at its end"))?;
    }
    Ok(text)
}

/// Dapr takes the spaces out, so that each app may have its line.
fn per_app(topics: fn(App) -> Vec<&'static str>) -> Vec<String> {
    let lines = App::ALL.map(|app| format!("{}={}", app.id(), topics(app).join(",")));
    with_commas(&lines, ";")
}

/// Every topic: what is not protected is open to apps that nobody has listed.
fn protected() -> Vec<String> {
    let names: Vec<_> = contracts()
        .map(|contract| contract.name.to_owned())
        .collect();
    with_commas(&names, ",")
}

fn with_commas(lines: &[String], separator: &str) -> Vec<String> {
    let last = lines.len().saturating_sub(1);
    let lines = lines.iter().enumerate();
    lines
        .map(|(index, line)| line.clone() + if index < last { separator } else { "" })
        .collect()
}

/// Puts the lines, indented, in the place of what is indented like this below the heading.
fn replaced(text: &str, heading: &str, indent: &str, lines: &[String]) -> anyhow::Result<String> {
    let Some((before, below)) = text.split_once(heading) else {
        bail!("missing")
    };
    let old = below.lines().take_while(|line| line.starts_with(indent));
    let old: usize = old.map(|line| line.len() + 1).sum();
    let new = lines
        .iter()
        .fold(String::new(), |new, line| new + indent + line + "\n");
    Ok(format!(
        "{before}{heading}{new}{}",
        below.get(old..).unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &str = "\
spec:
  type: pubsub.kafka
  metadata:
    - name: publishingScopes
      value: >-
        notifier=everything
    - name: subscriptionScopes
      value: >-
    # By hand.
    - name: protectedTopics
      value: >-
auth:
  secretStore: secretstore
scopes:
  - somebody
";

    #[test]
    fn what_follows_from_the_contract_is_replaced_and_the_rest_is_kept() {
        let text = scoped("component.yaml", COMPONENT).unwrap();

        assert!(
            !text.contains("everything") && !text.contains("somebody"),
            "{text}"
        );
        for kept in [
            "    # By hand.\n",
            "auth:\n  secretStore: secretstore\nscopes:\n",
        ] {
            assert!(text.contains(kept), "{text}");
        }
        for line in [
            "        task-api=task-events,task-update-events,recurring-events,task-api.dead-letters;\n",
            "        notifier=task-events,task-update-events,reminder-events,recurring-events\n",
            "        notifier.dead-letters\nauth:\n",
            "  - task-api\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_eq!(scoped("component.yaml", &text).unwrap(), text);
    }

    #[test]
    fn a_component_without_a_place_for_them_is_refused() {
        let text = COMPONENT.replace("- name: protectedTopics", "- name: allowedTopics");
        let refused = scoped("component.yaml", &text).unwrap_err().to_string();
        assert!(
            refused.contains("component.yaml") && refused.contains("protectedTopics"),
            "{refused}"
        );

        let refused = scoped("secretstore.yaml", "spec: {}\n")
            .unwrap_err()
            .to_string();
        assert!(refused.contains("scopes:"), "{refused}");
    }
}
