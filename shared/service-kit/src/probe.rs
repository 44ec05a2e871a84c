//! `<service> health`: asks the process beside it whether it can work.
//!
//! For containers that have no shell and no curl: the same binary is its own health check.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Parser;

/// The word on the command line.
const COMMAND: &str = "health";
/// Longer than the service's own checks take.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than readiness ever says.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// What a service's `--help` says of it.
pub const HELP: &str = "\
Health check:
  `health` instead of settings asks the running service at OPS_LISTEN_ADDRESS whether it can work: it
  exits 0, or 1 with one line that says why not.";

/// Asks the running service whether it can work.
#[derive(Clone, Debug, Parser)]
#[command(name = COMMAND)]
pub struct HealthConfig {
    /// Address of the service's /readyz.
    #[arg(long, env = "OPS_LISTEN_ADDRESS", default_value = "127.0.0.1:8082")]
    pub ops_listen: SocketAddr,
}

/// Why a service is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Nobody answers.
    #[error("nobody answers at {address}: is the service running, and is this its ops address?")]
    Away {
        /// Who was asked.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// It answers, and some check fails.
    #[error("not ready: {0}")]
    Unready(String),
}

/// What to ask when the command line says `health`; `None` when it says how to run.
pub fn requested(arguments: impl IntoIterator<Item = OsString>) -> Option<HealthConfig> {
    let mut arguments = arguments.into_iter().skip(1).peekable();
    (arguments.peek()? == COMMAND).then(|| HealthConfig::parse_from(arguments))
}

/// Asks `/readyz` of the process that listens at this address, on this machine. Blocks at most 4 s a step.
pub fn ask(listen: SocketAddr) -> Result<(), NotReady> {
    let address = reachable(listen);
    let answer = get(address).map_err(|source| NotReady::Away { address, source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    let status = head.lines().next().unwrap_or_default();
    Err(NotReady::Unready(format!("{status} {}", body.trim())))
}

/// Where a service that listens everywhere is found.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn get(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Somebody who gives one answer.
    fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    fn words(text: &[&str]) -> Vec<OsString> {
        text.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_the_first_word_asks() {
        let asked = requested(words(&[
            "notifier",
            "health",
            "--ops-listen",
            "127.0.0.1:1",
        ]));
        assert_eq!(asked.unwrap().ops_listen.port(), 1);
        assert!(requested(words(&["notifier"])).is_none());
        assert!(requested(words(&["notifier", "--listen", "health"])).is_none());
    }

    #[test]
    fn who_is_ready_is_well() {
        let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        assert!(ask(address).is_ok());
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7));
        assert_eq!(
            reachable(everywhere),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 7))
        );
    }

    #[test]
    fn who_is_not_says_why() {
        let address =
            answering("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"checks\":[\"database\"]}");
        let error = ask(address).unwrap_err().to_string();
        assert!(
            error.contains("503") && error.contains("database"),
            "{error}"
        );
    }

    #[test]
    fn nobody_is_not_ready() {
        // A port that was free a moment ago may be another test's by now; nobody serves this one.
        let error = ask(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).unwrap_err();
        assert!(
            error.to_string().contains("nobody answers at 127.0.0.1:1"),
            "{error}"
        );
    }
}
