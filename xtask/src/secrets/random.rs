//! Secrets made by chance.

use std::fs::File;
use std::io::Read;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Letters that no shell, URL, properties file or SQL text reads as more than letters.
pub(crate) fn secret() -> anyhow::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<24>()?))
}

/// An id as Kafka writes its own: 16 bytes. Its tools take one that begins with `-` for an option.
pub(crate) fn kafka_id() -> anyhow::Result<String> {
    let mut bytes = random::<16>()?;
    bytes[0] &= 0x7f;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut source = File::open("/dev/urandom").context("/dev/urandom")?;
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_none_needs_quotes() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one, other);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(one.len() >= 32 && one.chars().all(plain), "{one}");
    }

    #[test]
    fn an_id_is_no_option() {
        for _ in 0..100 {
            let id = kafka_id().unwrap();
            assert!(id.len() == 22 && !id.starts_with(['-', '_']), "{id}");
        }
    }
}
