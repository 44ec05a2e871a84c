//! Single-user mode trusts this machine, but not every page that a browser on it shows.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri};

use super::forbidden;
use crate::problem::Problem;

/// Refuses a `Host` that is not this machine (DNS rebinding) and an `Origin` that is not ours
/// (cross-site requests).
pub(super) fn check_is_local(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = host(uri, headers).filter(is_loopback);
    let Some(host) = host else {
        return Err(forbidden(
            "without authentication only requests to localhost are answered",
        ));
    };
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, &ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
    if origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str())) {
        Ok(())
    } else {
        Err(forbidden(
            "without authentication no other web page may ask",
        ))
    }
}

fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let host: Authority = only(headers, &HOST)?.parse().ok()?;
    // A request to a proxy names the host twice; two that differ are nobody's honest request.
    match uri.authority() {
        Some(target) if *target != host => None,
        _ => Some(host),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn is_loopback(host: &Authority) -> bool {
    if host.as_str().contains('@') {
        return false;
    }
    let name = host.host();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, headers: &[(HeaderName, &str)]) -> Result<(), Problem> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        check_is_local(&uri.parse().unwrap(), &map)
    }

    #[test]
    fn this_machine_is_let_in_by_any_of_its_names() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:8080",
        ] {
            assert!(check("/", &[(HOST, host)]).is_ok(), "{host}");
            assert!(check("/", &[(HOST, host), (ORIGIN, &format!("http://{host}"))]).is_ok());
        }
        assert!(check("http://localhost:80/", &[(HOST, "localhost:80")]).is_ok());
    }

    #[test]
    fn other_hosts_are_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "2130706433",
            "user@localhost",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(
                check("/", &[(HOST, host)]).unwrap_err().status(),
                403,
                "{host}"
            );
        }
        assert!(check("/", &[]).is_err());
        assert!(check("/", &[(HOST, "localhost"), (HOST, "localhost")]).is_err());
        assert!(check("http://evil.example/", &[(HOST, "localhost")]).is_err());
    }

    #[test]
    fn other_origins_are_refused() {
        for origin in [
            "null",
            "http://evil.example",
            "https://localhost:8080",
            "http://localhost",
            "http://localhost:8081",
            "http://127.0.0.1:8080",
            "http://localhost:8080/",
            "",
        ] {
            let refusal = check("/", &[(HOST, "localhost:8080"), (ORIGIN, origin)]).unwrap_err();
            assert_eq!(refusal.status(), 403, "{origin}");
        }
    }
}
