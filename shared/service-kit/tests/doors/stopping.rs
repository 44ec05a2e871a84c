//! The order of stopping.

use std::sync::Mutex;

use service_kit::health::{Health, Status};
use service_kit::lifecycle::{Lifecycle, TaskFailure};
use service_kit::server::{Limits, Listener, Stopping};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

use super::*;

type Order = Arc<Mutex<Vec<&'static str>>>;

fn note(order: &Order, what: &'static str) {
    order.lock().unwrap().push(what);
}

#[tokio::test]
async fn parts_stop_in_one_order() {
    let (health, order) = (Health::new(), Order::default());
    let mut lifecycle = Lifecycle::new(health.clone());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.address();
    let (noted, seen) = (Arc::clone(&order), health.clone());
    let (entered, handling) = oneshot::channel();
    let entered = Arc::new(Mutex::new(Some(entered)));
    let handler = async move || {
        let _told = entered.lock().unwrap().take().unwrap().send(());
        while seen.readiness().await.status != Status::Stopping {
            tokio::task::yield_now().await;
        }
        note(&noted, "request");
        "done"
    };
    let limits = Limits::from(&config(&[]).http);
    lifecycle.serve(
        "public",
        listener,
        Router::new().route("/", get(handler)),
        limits,
    );
    let noted = Arc::clone(&order);
    lifecycle.work("fire timers", |stop| async move {
        stop.cancelled().await;
        note(&noted, "loop");
        Ok(())
    });
    for what in ["lane", "pool"] {
        let noted = Arc::clone(&order);
        lifecycle.on_close(what, async move { note(&noted, what) });
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(lifecycle.run(async { stopped.await.unwrap() }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    handling.await.unwrap();

    stop.send(()).unwrap();

    running.await.unwrap().unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"));
    assert_eq!(*order.lock().unwrap(), ["request", "loop", "lane", "pool"]);
}

#[tokio::test]
async fn readiness_can_be_asked_while_loops_still_work() {
    let mut lifecycle = Lifecycle::new(Health::new());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.address();
    lifecycle.serve_ops(listener, Limits::from(&config(&[]).http));
    let answer = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&answer);
    lifecycle.work("fire timers", |stop| async move {
        stop.cancelled().await;
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        *told.lock().unwrap() = text;
        Ok(())
    });
    lifecycle.run(async {}).await.unwrap();
    assert!(answer.lock().unwrap().contains("503 Service Unavailable"));
}

#[tokio::test]
async fn a_loop_that_ends_by_itself_fails_the_run() {
    let closed = Order::default();
    let mut lifecycle = Lifecycle::new(Health::new());
    lifecycle.work("publish", |_stop| async { Ok(()) });
    let noted = Arc::clone(&closed);
    lifecycle.on_close("pool", async move { note(&noted, "pool") });
    let failure = lifecycle.run(std::future::pending()).await.unwrap_err();
    assert!(matches!(failure, TaskFailure::Ended(name) if name == "publish"));
    assert_eq!(*closed.lock().unwrap(), ["pool"]);
}

#[tokio::test]
async fn a_loop_that_fails_or_panics_fails_the_run() {
    let mut lifecycle = Lifecycle::new(Health::new());
    lifecycle.work("publish", |_stop| async { Err("no disk".into()) });
    let failure = lifecycle.run(std::future::pending()).await.unwrap_err();
    assert_eq!(problem::chain(&failure), "publish failed: no disk");

    let mut lifecycle = Lifecycle::new(Health::new());
    lifecycle.work("publish", |_stop| async { panic!("bug {}", 7) });
    let failure = lifecycle.run(std::future::pending()).await.unwrap_err();
    assert_eq!(failure.to_string(), "publish panicked: bug 7");
}

#[tokio::test]
async fn a_failure_while_stopping_is_told() {
    let mut lifecycle = Lifecycle::new(Health::new());
    lifecycle.work("publish", |stop| async move {
        stop.cancelled().await;
        Err("the last batch was lost".into())
    });
    let failure = lifecycle.run(async {}).await.unwrap_err();
    assert!(matches!(failure, TaskFailure::Failed { name, .. } if name == "publish"));
}

#[tokio::test]
async fn an_answer_without_an_end_is_told_that_its_listener_stops() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.address();
    let mut lifecycle = Lifecycle::new(Health::new());
    let entered = Arc::new(Notify::new());
    let handling = Arc::clone(&entered);
    let endless = get(async move |stopping: Stopping| {
        handling.notify_one();
        stopping.begun().await;
        "stopped"
    });
    let limits = Limits::from(&config(&[]).http);
    lifecycle.serve(
        "public",
        listener,
        Router::new().route("/", endless),
        limits,
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(lifecycle.run(async { stopped.await.unwrap() }));

    entered.notified().await;
    stop.send(()).unwrap();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    running.await.unwrap().unwrap();
    assert!(answer.ends_with("stopped"), "{answer}");
}
