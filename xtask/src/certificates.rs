//! A certificate authority of a deployment's own, and what it signs.
//!
//! In process and without a program that may be missing or differ: `keytool` hands no private key out,
//! and there is more than one `openssl`. The authority's key is forgotten: a new certificate is a new
//! authority.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// The name that brokers show each other; a super user.
pub(crate) const BROKER: &str = "kafka";

/// An authority, and a key store for each broker that was asked for.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub(crate) authority: String,
    /// The key in PKCS #8, and the certificate behind it: what Kafka calls a PEM key store.
    pub(crate) key_stores: Vec<String>,
}

impl Certificates {
    /// Signs so many certificates that are valid for these host names and addresses.
    pub(crate) fn make(brokers: u16, hosts: &[&str]) -> anyhow::Result<Self> {
        let (authority, issuer) = authority().context("cannot make a certificate authority")?;
        let key_stores = (0..brokers).map(|_| broker(&issuer, hosts));
        let key_stores = key_stores.collect::<Result<_, _>>();
        Ok(Self {
            authority,
            key_stores: key_stores.context("cannot make a certificate")?,
        })
    }
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
fn broker(authority: &Issuer<'static, KeyPair>, hosts: &[&str]) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = params(BROKER, hosts)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, authority)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

fn params(name: &str, hosts: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    // They are thrown away with what they were made for, so that nobody has to ask what time it is.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    Ok(params)
}
