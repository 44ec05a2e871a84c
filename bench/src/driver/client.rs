//! One keep-alive connection and what it asks for.

use std::net::SocketAddr;

use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::requests::{Asked, Requests};

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
pub(crate) struct Client {
    connection: Connection,
    requests: Requests,
}

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    connection: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, requests: Requests) -> anyhow::Result<Self> {
        let connection = Connection::open(address).await?;
        Ok(Self {
            connection,
            requests,
        })
    }

    /// Sends the next request and reads the whole answer.
    pub(super) async fn send(&mut self) -> anyhow::Result<Answered> {
        let asked = self.requests.next();
        let (status, body) = self.connection.ask(&asked).await?;
        let done = status.is_success() && self.requests.is_done(&body);
        self.requests.settle(&asked, done);
        if done {
            return Ok(Answered::Done);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Ok(Answered::Refused);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(MOST_SHOWN)]);
        let fault = format!("{status} to {} {}: {text}", asked.method, asked.path);
        Ok(Answered::Fault(fault))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, asked: &Asked) -> anyhow::Result<(StatusCode, Bytes)> {
        self.connection.ask(asked).await
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, io) = http1::handshake(TokioIo::new(stream)).await?;
        // What ends the connection is what the next request on it fails with.
        tokio::spawn(async move { drop(io.await) });
        Ok(Self {
            connection,
            host: HeaderValue::try_from(address.to_string())?,
        })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, asked: &Asked) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(asked.method.clone())
            .uri(asked.path.as_str())
            .header(HOST, self.host.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(asked.content_type));
        if let Some((name, value)) = &asked.proof {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(asked.body.clone()))?;
        // The task that drives the connection may not have come back to it since the last answer.
        self.connection
            .ready()
            .await
            .context("the connection broke")?;
        let answer = self.connection.send_request(request).await;
        let answer = answer.context("the connection broke")?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
