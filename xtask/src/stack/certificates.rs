//! A certificate authority of the stack's own, and what it signs.
//!
//! In process and without a program that may be missing or differ: `keytool` hands no private key out,
//! and there is more than one `openssl`. The keys live as long as the stack.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::layout::Layout;

pub(super) const CA: &str = "secrets/ca.pem";
/// The name that brokers show each other as controllers; a super user.
pub(super) const BROKER: &str = "kafka";

/// The key in PKCS #8, and the certificate behind it: what Kafka calls a PEM key store.
pub(super) fn key_store(node: u16) -> String {
    format!("secrets/kafka-{node}.pem")
}

/// Makes the authority and one certificate per broker. The authority's key is forgotten.
pub(super) fn make(layout: &Layout) -> anyhow::Result<()> {
    if layout.path(CA).exists() {
        return Ok(());
    }
    let authority = authority().context("cannot make a certificate authority")?;
    for node in 1..=layout.brokers {
        let (key, certificate) = broker(&authority.1).context("cannot make a certificate")?;
        layout.write(&key_store(node), &format!("{key}{certificate}"))?;
    }
    layout.write(CA, &authority.0)?;
    Ok(())
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params("Taskledger test authority", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}

/// Brokers are servers to everybody and clients of each other.
fn broker(authority: &Issuer<'static, KeyPair>) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params(BROKER, vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, authority)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

fn params(name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    // They are thrown away with the stack, so that nobody has to ask what time it is.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    Ok(params)
}
