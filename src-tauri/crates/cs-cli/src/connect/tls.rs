//! TLS to the gateway: whom the bridge believes to be it, and how it shows a certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use hyper_rustls::ConfigBuilderExt as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use super::key::is_open_to_others;

/// The files that TLS to the gateway needs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct TlsFiles {
    /// The authority (PEM) that has issued the gateway's certificate, instead of those that this
    /// machine trusts: `countersign certificate authority` shows it
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// The certificate (PEM) that the agent proves itself with, instead of a key file
    #[arg(long, requires = "cert_key_file", conflicts_with = "key_file")]
    cert_file: Option<PathBuf>,
    /// The private key (PEM) of that certificate
    #[arg(long, requires = "cert_file")]
    cert_key_file: Option<PathBuf>,
}

impl TlsFiles {
    /// Whether none is named.
    pub(super) const fn are_none(&self) -> bool {
        self.ca_file.is_none() && self.cert_file.is_none()
    }

    /// What stands where there is no TLS: nobody is believed.
    pub(super) fn unused() -> Result<ClientConfig> {
        Ok(begin()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    }

    /// What handshakes with the gateway are made with.
    pub(super) fn read(&self) -> Result<ClientConfig> {
        let builder = begin()?;
        let builder = match &self.ca_file {
            None => builder.with_native_roots().context("this machine trusts no authority")?,
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    let refused = || format!("{} is no authority", file.display());
                    roots.add(certificate).with_context(refused)?;
                }
                builder.with_root_certificates(roots)
            }
        };
        let (Some(certificate), Some(key)) = (&self.cert_file, &self.cert_key_file) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        if std::fs::File::open(key).is_ok_and(|file| is_open_to_others(&file)) {
            eprintln!("countersign: others can read {0}; `chmod 600` it", key.display());
        }
        let unread = || format!("{} holds no private key in PEM", key.display());
        let key = PrivateKeyDer::from_pem_file(key).with_context(unread)?;
        builder
            .with_client_auth_cert(chain, key)
            .context("the certificate and its private key do not fit together")
    }
}

fn begin() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .context("TLS could not be set up")
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unread = || format!("{} holds no certificates in PEM", file.display());
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).with_context(unread)?.collect();
    let found = found.with_context(unread)?;
    if found.is_empty() {
        bail!(unread());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_hold_something_else_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for text in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"]
        {
            std::fs::write(&path, text).unwrap();
            let files = TlsFiles { ca_file: Some(path.clone()), ..TlsFiles::default() };
            let problem = format!("{:#}", files.read().unwrap_err());
            assert!(problem.contains("ca.pem"), "{text}: {problem}");
        }
    }
}
