//! A sidecar that answers as it is told and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use dapr_client::{Client, Config, Message};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Script = Arc<dyn Fn(&Asked) -> (u16, String) + Send + Sync>;
type Log = Arc<Mutex<Vec<Asked>>>;

pub(crate) struct FakeSidecar {
    pub(crate) client: Client,
    log: Log,
}

impl FakeSidecar {
    pub(crate) async fn start<B: Into<String>>(
        script: impl Fn(&Asked) -> (u16, B) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let script: Script = Arc::new(move |asked| {
            let (status, body) = script(asked);
            (status, body.into())
        });
        let router = Router::new()
            .fallback(answer)
            .with_state((script, Arc::clone(&log)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let config = Config {
            dapr_http_endpoint: Some(format!("http://{address}/")),
            dapr_api_token: Some("secret".into()),
            publish_timeout: Duration::from_secs(20),
            ..Config::default()
        };
        Self {
            client: Client::new(&config).unwrap(),
            log,
        }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.uri).collect()
    }
}

async fn answer(State((script, log)): State<(Script, Log)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked {
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    };
    let (status, body) = script(&asked);
    log.lock().unwrap().push(asked);
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

pub(crate) fn message<'a>(position: u64, key: &'a str, envelope: &'a str) -> Message<'a> {
    Message {
        position,
        key,
        envelope,
    }
}

pub(crate) fn problem(code: &str) -> String {
    format!(r#"{{"errorCode":"{code}","message":"because","details":[]}}"#)
}
