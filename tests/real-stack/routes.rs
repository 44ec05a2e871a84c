//! The gateway's table: each public path is answered by the service that has it.

use event_schema::App;
use suite_tests::stack::Stack;

#[tokio::test]
async fn every_path_goes_to_the_service_that_describes_it() {
    let stack = Stack::of_environment();
    let client = reqwest::Client::builder().build().unwrap();
    for app in [App::TaskApi, App::Notifier] {
        let document = client
            .get(format!("{}/openapi.json", stack.base(app)))
            .send()
            .await
            .unwrap();
        let document: serde_json::Value = document.json().await.unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(!paths.is_empty());
        for path in paths.keys() {
            assert_eq!(stack.owner(path), stack.base(app), "{path}");
        }
    }
}
