//! One keep-alive connection and what it asks for.

use std::net::SocketAddr;

use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use clock::SharedClock;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::mix::{Mix, Operation, create_body, patch_body};

/// How much of an unexpected answer is told.
const MOST_SHOWN: usize = 300;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Done,
    /// 503: the service has too much to do.
    Refused,
    /// Anything else.
    Fault(String),
}

#[derive(Debug)]
pub(super) struct Client {
    connection: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    mix: Mix<Uuid>,
    clock: SharedClock,
}

impl Client {
    pub(super) async fn connect(
        address: SocketAddr,
        seed: u64,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, io) = http1::handshake(TokioIo::new(stream)).await?;
        // What ends the connection is what the next request on it fails with.
        tokio::spawn(async move { drop(io.await) });
        Ok(Self {
            connection,
            host: HeaderValue::try_from(address.to_string())?,
            mix: Mix::new(seed),
            clock,
        })
    }

    /// Sends the next command and reads the whole answer.
    pub(super) async fn send(&mut self) -> anyhow::Result<Answered> {
        let (operation, task) = self.mix.next();
        let task = task.unwrap_or_else(|| self.clock.new_id());
        let request = self.request(operation, task)?;
        let answer = self.connection.send_request(request).await;
        let answer = answer.context("the connection broke")?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status.is_success() {
            if operation != Operation::Complete {
                self.mix.keep(task);
            }
            return Ok(Answered::Done);
        }
        if operation != Operation::Create {
            self.mix.keep(task);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Ok(Answered::Refused);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(MOST_SHOWN)]);
        let fault = format!("{status} to {operation:?}: {text}");
        Ok(Answered::Fault(fault))
    }

    fn request(&self, operation: Operation, task: Uuid) -> anyhow::Result<Request<Full<Bytes>>> {
        let (method, path, body) = match operation {
            Operation::Create => {
                let body = create_body(task, &self.mix.title());
                (Method::POST, "/v1/tasks".to_owned(), body)
            }
            Operation::Patch => {
                let body = patch_body(&self.mix.title());
                (Method::PATCH, format!("/v1/tasks/{task}"), body)
            }
            Operation::Complete => {
                let path = format!("/v1/tasks/{task}/complete");
                (Method::POST, path, "{}".to_owned())
            }
        };
        let kind = match operation {
            Operation::Patch => "application/merge-patch+json",
            Operation::Create | Operation::Complete => "application/json",
        };
        Ok(Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.host.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(kind))
            .body(Full::from(body))?)
    }
}
