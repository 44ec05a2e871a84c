//! A certificate authority of a deployment's own, and what it signs.
//!
//! In process and without a program that may be missing or differ: `keytool` hands no private key out,
//! and there is more than one `openssl`. Where the authority's key is forgotten, a new certificate is a new
//! authority.

use anyhow::Context;
use chrono::{Datelike, NaiveDate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// The name that brokers show each other; a super user.
pub(crate) const BROKER: &str = "kafka";

/// The days between which a certificate is valid, in UTC: the second is no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    pub(crate) from: NaiveDate,
    pub(crate) until: NaiveDate,
}

impl Default for Validity {
    /// They are thrown away with what they were made for, so that nobody has to ask what time it is.
    fn default() -> Self {
        let first_of = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        Self {
            from: first_of(2020),
            until: first_of(2120),
        }
    }
}

/// Whom everybody trusts.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// A new one.
    pub(crate) fn make() -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("cannot make a key")?;
        Self::of(key).context("cannot make a certificate authority")
    }

    /// The one whose key this is, as [`Self::key`] told it: its certificate is another, and what it signs is
    /// worth the same.
    pub(crate) fn with_key(pem: &str) -> anyhow::Result<Self> {
        let key = KeyPair::from_pem(pem).context("this is no key of an authority")?;
        Self::of(key).context("cannot make a certificate authority")
    }

    /// Its certificate, in PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its key, in PEM: whoever has it can be every broker.
    pub(crate) fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Signs a certificate for a broker of these host names and addresses. Returns the key in PKCS #8, and
    /// the certificate, in PEM; one behind the other, they are what Kafka calls a PEM key store.
    pub(crate) fn sign(&self, hosts: &[&str], valid: Validity) -> anyhow::Result<[String; 2]> {
        broker(&self.issuer, hosts, valid).context("cannot make a certificate")
    }

    fn of(key: KeyPair) -> Result<Self, rcgen::Error> {
        let mut params = params("Taskledger test authority", Vec::new(), Validity::default())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self {
            issuer,
            certificate,
        })
    }
}

/// Brokers are servers to everybody and clients of each other.
fn broker(
    authority: &Issuer<'static, KeyPair>,
    hosts: &[&str],
    valid: Validity,
) -> Result<[String; 2], rcgen::Error> {
    let key = KeyPair::generate()?;
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = params(BROKER, hosts, valid)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, authority)?;
    Ok([key.serialize_pem(), certificate.pem()])
}

fn params(
    name: &str,
    hosts: Vec<String>,
    valid: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let midnight = |day: NaiveDate| {
        let [month, of_month] =
            [day.month(), day.day()].map(|part| u8::try_from(part).unwrap_or(1));
        date_time_ymd(day.year(), month, of_month)
    };
    (params.not_before, params.not_after) = (midnight(valid.from), midnight(valid.until));
    Ok(params)
}
