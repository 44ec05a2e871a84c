//! What runs here.

use http::{Method, StatusCode};

use crate::suite;

#[tokio::test]
async fn the_version_and_the_time_zone_rules_are_told_to_who_may_ask() {
    let suite = suite().await;

    let about = suite.get("/v1/about", StatusCode::OK).await;

    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    let tzdb = about["tzdb_version"].as_str().unwrap();
    let (year, letter) = tzdb.split_at(4);
    assert!(year.parse::<u16>().is_ok_and(|year| year >= 2025), "{tzdb}");
    assert!(letter.chars().all(|one| one.is_ascii_lowercase()), "{tzdb}");
    let anonymous = suite.request(Method::GET, "/v1/about").anonymous();
    assert_eq!(anonymous.send().await.status, StatusCode::UNAUTHORIZED);
    suite.finish().await;
}
