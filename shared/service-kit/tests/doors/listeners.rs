//! The accept loop, over real sockets.

use std::net::SocketAddr;

use service_kit::server::{self, BindError, Limits, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<()>,
    /// Told by `/v1/slow` when a request has reached it.
    entered: Arc<Notify>,
    /// Lets `/v1/slow` answer.
    release: Arc<Notify>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_with(kit(&[]), limits).await
    }

    async fn start_with(kit: Kit, limits: Limits) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let (address, stop) = (listener.address(), CancellationToken::new());
        let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
            async move || {
                entered.notify_one();
                release.notified().await;
                "done"
            }
        };
        let router = kit.public_layers(routes().route("/v1/slow", get(slow)));
        let running = tokio::spawn(server::serve(listener, router, limits, stop.clone()));
        Self {
            address,
            stop,
            running,
            entered,
            release,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection whose request is in the handler.
    async fn ask_slowly(&self) -> TcpStream {
        let mut stream = self.connect().await;
        let request = b"GET /v1/slow HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream
    }
}

fn limits() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(100),
        max_connections: 2,
        drain_timeout: Duration::from_secs(5),
    }
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A reset after the answer is as good as an end.
    let _end = stream.read_to_string(&mut text).await;
    text
}

/// Reads one answer of a connection that stays open.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let length = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[tokio::test]
async fn headers_that_do_not_arrive_in_time_end_the_connection() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: local")
        .await
        .unwrap();
    let answer = read_all(stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    let request = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(200)
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_all(stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn headers_without_end_are_not_kept() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\na: ")
        .await
        .unwrap();
    let mut sent = 0;
    while stream.write_all(&[b'a'; 4096]).await.is_ok() {
        sent += 4096;
        assert!(
            sent < 64 * 1024 * 1024,
            "{sent} bytes of headers were taken"
        );
    }
}

#[tokio::test]
async fn an_oversize_body_is_refused_before_it_is_sent() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 99999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 413"));
}

/// A request whose body is larger than the kit's limit or goes nowhere, and of which nobody reads it.
fn refused(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn the_connection_of_a_refused_body_goes_on() {
    let server = Server::start(limits()).await;
    for (path, length, status) in [("/v1/tasks", 400_000, 413), ("/v1/nowhere", 200_000, 404)] {
        let mut stream = server.connect().await;
        stream
            .write_all(refused(path, length).as_bytes())
            .await
            .unwrap();
        stream.write_all(&vec![b'x'; length]).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");

        let next = "GET /v1/nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(next.as_bytes()).await.unwrap();

        let rest = read_all(stream).await;
        assert!(rest.contains("HTTP/1.1 404"), "after {path}: {rest}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_a_refusal_says_so() {
    let server = Server::start(limits()).await;
    for (path, length) in [
        ("/v1/tasks", 99_999_999),
        ("/v1/tasks", 400_000),
        ("/v1/nowhere", 100),
    ] {
        let mut stream = server.connect().await;
        stream
            .write_all(refused(path, length).as_bytes())
            .await
            .unwrap();

        let head = read_head(&mut stream).await;

        assert!(
            head.contains("connection: close"),
            "{length} to {path}: {head}"
        );
    }
}

#[tokio::test]
async fn a_refused_body_that_waits_for_leave_is_not_asked_for() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    let head = refused("/v1/nowhere", 100).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();

    let answer = read_all(stream).await;

    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let kit = kit(&["--http-request-timeout", "50ms"]);
    let server = Server::start_with(kit, limits()).await;
    let mut stream = server.connect().await;
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{\"title\":";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_all(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("request-timeout"),
        "{answer}"
    );
    assert!(!answer.contains("retry-after"), "{answer}");
}

#[tokio::test]
async fn garbage_and_smuggled_lengths_are_refused() {
    let server = Server::start(limits()).await;
    for head in [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(
            read_all(stream).await.starts_with("HTTP/1.1 400"),
            "{head:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_beyond_the_cap_waits_until_there_is_room() {
    let server = Server::start(limits()).await;
    let first = server.ask_slowly().await;
    let second = server.ask_slowly().await;
    server.entered.notified().await;
    server.entered.notified().await;
    let mut third = server.ask_slowly().await;
    let early = tokio::time::timeout(Duration::from_millis(100), server.entered.notified()).await;
    assert!(
        early.is_err(),
        "the third connection was served beside two others"
    );
    drop((first, second));
    server.entered.notified().await;
    server.release.notify_one();
    assert!(read_head(&mut third).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn open_requests_finish_when_the_server_stops() {
    let server = Server::start(limits()).await;
    let stream = server.ask_slowly().await;
    server.entered.notified().await;
    server.stop.cancel();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.release.notify_one();
    assert!(read_all(stream).await.ends_with("done"));
    server.running.await.unwrap();
}

#[tokio::test]
async fn the_drain_is_bounded() {
    let server = Server::start(Limits {
        drain_timeout: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let stream = server.ask_slowly().await;
    server.entered.notified().await;
    server.stop.cancel();
    server.running.await.unwrap();
    assert_eq!(read_all(stream).await, "");
}

#[tokio::test]
async fn an_address_in_use_is_said_plainly() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let error = Listener::bind(listener.address()).await.unwrap_err();
    assert!(matches!(error, BindError::Taken(_)));
    let port = listener.address().port();
    assert!(error.to_string().starts_with(&format!(
        "cannot listen on 127.0.0.1:{port}: another program"
    )));
}
