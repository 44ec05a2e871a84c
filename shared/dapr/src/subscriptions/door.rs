//! A router of subscriptions as its own service delivers to it, without a sidecar in between.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tower::ServiceExt;

use super::{Ack, routes, wire};
use crate::client::CLOUD_EVENT;
use crate::{Config, token};

/// An answer to a delivery is a few bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// A router of subscriptions as its own service delivers to it: the same door, token and answers.
#[derive(Clone, Debug)]
pub struct Door {
    router: Router,
    token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
}

impl Door {
    /// The door of this router, which has the subscriptions that were made from this configuration.
    pub fn new(router: Router, config: &Config) -> Self {
        Self {
            router,
            token: config.app_api_token.clone(),
        }
    }

    /// Delivers the bytes of an event as the sidecar would. Anything but a success is a retry.
    pub async fn deliver(&self, topic: &str, key: Option<&str>, event: Vec<u8>) -> Ack {
        let mut request = Request::post(routes::path(topic)).header(CONTENT_TYPE, CLOUD_EVENT);
        if let Some(token) = &self.token {
            request = request.header(token::HEADER, token.expose_secret());
        }
        if let Some(key) = key {
            request = request.header(wire::KEY, key);
        }
        let Ok(request) = request.body(Body::from(event)) else {
            tracing::error!("an event of {topic} cannot be put into a request");
            return Ack::Retry;
        };
        let Ok(response) = self.router.clone().oneshot(request).await;
        let taken = response.status().is_success();
        let body = to_bytes(response.into_body(), LARGEST_ANSWER)
            .await
            .unwrap_or_default();
        match serde_json::from_slice::<Answer>(&body) {
            Ok(answer) if taken && answer.status == "SUCCESS" => Ack::Success,
            _ => Ack::Retry,
        }
    }
}
