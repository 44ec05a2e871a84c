#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

mod embedded;
pub mod gateway;
pub mod load;
pub mod stack;

use std::time::Duration;

use clock::{Clock, SystemClock};
use event_schema::UserId;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use embedded::Embedded;
use gateway::Gateway;
use stack::Stack;

/// Which stack: `embedded`, which is the default, `real`, or `compose`.
const STACK: &str = "TASKLEDGER_STACK";
/// Idle connections are not used again after this. The gateway closes one after a minute, and after ten
/// seconds if it was opened and never used; a request that meets the close is not answered.
const IDLE: Duration = Duration::from_secs(5);
/// A condition that is not met by then will not be met.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is still on its way when the last command of a load is answered is lost when nothing has come for
/// so long.
const ARRIVAL: Duration = Duration::from_mins(3);

/// A running suite, and a user in it who has nothing yet.
#[derive(Debug)]
pub struct Suite {
    place: Place,
    client: Client,
}

/// Where the suite runs.
#[derive(Debug)]
enum Place {
    /// In this process, for this test alone, without authentication.
    Embedded(Embedded),
    /// In processes that all tests share, so that each test is another user.
    Real { stack: Stack, user: String },
    /// In containers that all tests share, behind one address.
    Compose { gateway: Gateway, user: String },
}

impl Suite {
    /// Starts a suite with nothing in it, or comes to the real one as a new user.
    pub async fn start() -> Self {
        let place = match stack::variable(STACK).as_deref() {
            None | Some("embedded") => Place::Embedded(Embedded::start().await),
            Some("real") => {
                let user = UserId(SystemClock::new().new_id());
                return Self::of_user(Stack::of_environment(), user);
            }
            Some("compose") => {
                let gateway = Gateway::of_environment();
                let user = gateway.bearer(UserId(SystemClock::new().new_id()));
                Place::Compose { gateway, user }
            }
            Some(other) => panic!("{STACK} has to be embedded, real or compose, not {other}"),
        };
        Self::at(place)
    }

    /// Comes to the real one as this user.
    pub fn of_user(stack: Stack, user: UserId) -> Self {
        let user = stack.bearer(user);
        Self::at(Place::Real { stack, user })
    }

    fn at(place: Place) -> Self {
        let client = client();
        Self { place, client }
    }

    /// Stops the suite and starts it again with what it had.
    pub async fn restart(self) -> Self {
        let place = match self.place {
            Place::Embedded(embedded) => Place::Embedded(embedded.restart().await),
            Place::Real { stack, user } => {
                stack.restart_services().await;
                Place::Real { stack, user }
            }
            Place::Compose { gateway, user } => {
                gateway.restart_services().await;
                Place::Compose { gateway, user }
            }
        };
        Self { place, ..self }
    }

    /// Ends the test: a suite of its own must end well.
    pub async fn stop(self) {
        if let Place::Embedded(embedded) = self.place {
            drop(embedded.stop().await);
        }
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        match &self.place {
            Place::Embedded(embedded) => {
                let base = &embedded.base;
                self.client.request(method, format!("{base}{path}"))
            }
            Place::Real { stack, user } => {
                let url = format!("{}{path}", stack.owner(path));
                self.client.request(method, url).header(AUTHORIZATION, user)
            }
            Place::Compose { gateway, user } => {
                let url = format!("{}{path}", gateway.base);
                self.client.request(method, url).header(AUTHORIZATION, user)
            }
        }
    }

    /// Gets a path, which must answer this status.
    pub async fn get(&self, path: &str, status: u16) -> Value {
        answer(self.request(Method::GET, path), status).await
    }

    /// Posts a body to a path, which must answer this status.
    pub async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        answer(self.request(Method::POST, path).json(body), status).await
    }

    /// Patches what is at a path, which must answer this status.
    pub async fn patch(&self, path: &str, body: &Value, status: u16) -> Value {
        answer(self.request(Method::PATCH, path).json(body), status).await
    }

    /// Gets every item of all pages of a list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), format!("{path}?limit=100"));
        loop {
            let mut page = self.get(&next, 200).await;
            if let Value::Array(page) = page["items"].take() {
                items.extend(page);
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}?limit=100&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// Gets every item of a list, as soon as there are so many: what is still on its way is waited for.
    pub async fn all_of(&self, path: &str, count: usize) -> Vec<Value> {
        let (mut there, mut deadline) = (0, Instant::now() + ARRIVAL);
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let items = self.all(path).await;
            if items.len() >= count {
                return items;
            }
            if items.len() > there {
                (there, deadline) = (items.len(), Instant::now() + ARRIVAL);
            }
            assert!(Instant::now() < deadline, "{there} of {count} at {path}");
        }
    }

    /// Asks for a path until the answer is what is looked for, and returns that.
    pub async fn eventually<T>(&self, path: &str, found: impl Fn(u16, &Value) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(Duration::from_millis(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (status, body) = send(self.request(Method::GET, path)).await;
            if let Some(found) = found(status, &body) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "GET {path} still answers {status} {body}"
            );
        }
    }
}

/// Waits for every answer, and not for ever.
pub(crate) fn client() -> Client {
    Client::builder()
        .timeout(Duration::from_secs(30))
        .pool_idle_timeout(IDLE)
        .build()
        .expect("a client without TLS needs nothing")
}

/// Sends a request, which must answer this status, and returns the body.
pub async fn answer(request: RequestBuilder, status: u16) -> Value {
    let (got, body) = send(request).await;
    assert_eq!(got, status, "{body:#}");
    body
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("the suite answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a whole body");
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    (status, body)
}
