//! The app at the other end: asking it and delivering to it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clock::SharedClock;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, redirect};
use secrecy::ExposeSecret;

use super::Subscription;
use super::answer::{self, Verdict};
use super::message::{self, Message};
use crate::{AppBinding, Error, token};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where and how to reach an app.
#[derive(Debug)]
pub(crate) struct App {
    group: Arc<str>,
    url: String,
    http: reqwest::Client,
    clock: SharedClock,
}

/// The app does not listen. That is no attempt: it is waited for.
#[derive(Debug)]
pub(super) struct NotListening;

impl App {
    pub(crate) fn new(
        binding: &AppBinding,
        clock: SharedClock,
        handler_timeout: Duration,
    ) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        let illegal = |_| Error::Token(binding.app_id.clone());
        headers.insert(
            "dapr-app-id",
            HeaderValue::from_str(&binding.app_id).map_err(illegal)?,
        );
        if let Some(shown) = &binding.app_api_token {
            let mut value = HeaderValue::from_str(shown.expose_secret()).map_err(illegal)?;
            value.set_sensitive(true);
            headers.insert(token::HEADER, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(handler_timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(Error::Http)?;
        let url = binding.app_url.trim_end_matches('/').to_owned();
        Ok(Self {
            group: Arc::from(binding.app_id.as_str()),
            url,
            http,
            clock,
        })
    }

    /// The consumer group: the app id.
    pub(crate) fn group(&self) -> &Arc<str> {
        &self.group
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Asks for the subscriptions, after the configuration, which is not used.
    pub(super) async fn subscriptions(&self) -> reqwest::Result<(u16, Bytes)> {
        self.http.get(self.path("/dapr/config")).send().await?;
        let answer = self.http.get(self.path("/dapr/subscribe")).send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await?))
    }

    /// Delivers messages in one request: one of them in the single shape, or all in the bulk shape.
    pub(super) async fn deliver(
        &self,
        subscription: &Subscription,
        messages: &[&Message],
    ) -> Result<Vec<Verdict>, NotListening> {
        let all = |reason: String| vec![Verdict::Failed(reason); messages.len()];
        let request = match self.request(subscription, messages) {
            Ok(request) => request,
            Err(reason) => return Ok(all(reason)),
        };
        match answered(request).await {
            Ok((status, body)) if subscription.bulk.is_some() => {
                let ids: Vec<_> = messages
                    .iter()
                    .map(|message| message.entry_id.clone())
                    .collect();
                Ok(answer::bulk(status, &body, &ids))
            }
            Ok((status, body)) => Ok(vec![answer::single(status, &body)]),
            Err(error) if error.is_connect() => Err(NotListening),
            Err(error) => Ok(all(error.to_string())),
        }
    }

    fn request(
        &self,
        subscription: &Subscription,
        messages: &[&Message],
    ) -> Result<RequestBuilder, String> {
        let request = self.http.post(self.path(&subscription.path));
        if subscription.bulk.is_some() {
            let id = self.clock.new_id().to_string();
            let body = message::bulk_body(&id, subscription, messages)
                .map_err(|error| error.to_string())?;
            return Ok(request.header(CONTENT_TYPE, "application/json").body(body));
        }
        let message = messages.first().ok_or("nothing to deliver")?;
        let headers = message
            .headers(&subscription.pubsub)
            .map_err(|error| error.to_string())?;
        let event = message.event().unwrap_or("null").to_owned();
        Ok(request.headers(headers).body(event))
    }

    fn path(&self, path: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{path}", self.url)
    }
}

async fn answered(request: RequestBuilder) -> reqwest::Result<(u16, Bytes)> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.bytes().await?))
}
