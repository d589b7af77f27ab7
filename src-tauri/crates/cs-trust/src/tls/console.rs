//! TLS between consoles and their gateway: 1.3 alone, both sides by certificates of one authority
//! that issues for nothing else, and every connection a full handshake.

use std::sync::Arc;

use cs_model::Secret;
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{NoKeyLog, RootCertStore, version};

use super::TlsError;
use crate::certificate;

/// What is spoken inside.
const ALPN: &[u8] = b"countersign-console/1";

/// Builds what consoles and their gateway speak TLS with.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleTls;

impl ConsoleTls {
    /// For the gateway's side. A client without a certificate of this authority is refused; which
    /// of them are in force is not a matter of the handshake: whoever accepts looks each of them
    /// up by its fingerprint, so that there are no revocation lists here.
    ///
    /// # Errors
    ///
    /// When the certificates or the key cannot be used.
    pub fn server(
        chain_pem: &str,
        key: &Secret,
        authority_pem: &str,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = Arc::new(roots(authority_pem)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let verifier = verifier.build().map_err(|_| TlsError::Setup)?;
        let mut config = ServerConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|_| TlsError::Setup)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain(chain_pem)?, private(key)?)
            .map_err(|_| TlsError::Key)?;
        // INVARIANT: every connection is a full handshake. A resumed one would not show the
        // certificate anew, and early data could be played back.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.key_log = Arc::new(NoKeyLog {});
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }

    /// For the console's side, which believes gateways of this authority and no others.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn client(
        chain_pem: &str,
        key: &Secret,
        authority_pem: &str,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|_| TlsError::Setup)?
            .with_root_certificates(roots(authority_pem)?)
            .with_client_auth_cert(chain(chain_pem)?, private(key)?)
            .map_err(|_| TlsError::Key)?;
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.key_log = Arc::new(NoKeyLog {});
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }
}

fn roots(authority_pem: &str) -> Result<RootCertStore, TlsError> {
    let authority: CertificateDer<'static> =
        certificate::only(authority_pem).ok_or(TlsError::Certificate)?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|_| TlsError::Certificate)?;
    Ok(roots)
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificate::every(pem).filter(|all| !all.is_empty()).ok_or(TlsError::Certificate)
}

fn private(key: &Secret) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(key.expose()).map_err(|_| TlsError::Key)
}
