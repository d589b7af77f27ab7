//! TLS as a gateway serves it: which versions, which client certificates, and no resumption.
//!
//! A resumed session takes the client certificate from the stored session and never has it checked
//! again (attacks N1), so that there are no sessions, no tickets and no early data here. A change
//! of trust is a new [`rustls::ServerConfig`]; connections that were opened under the old one have
//! to be looked at by whoever holds them.

mod anchor;
mod console;
mod outside;
mod verifier;

use std::sync::Arc;

use cs_model::Secret;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::time_provider::TimeProvider;
use rustls::{NoKeyLog, SupportedProtocolVersion, version};

pub use anchor::{Anchor, CrlNumber, Owner, RevocationList, Scope};
pub use console::ConsoleTls;
pub use outside::{OutsideAuthority, Unlisted, lists_in_pem};
pub use verifier::{AgentVerifier, ChainedPeer, RefusedPeer};

use crate::certificate;
use crate::peer::PeerError;

/// The only protocol spoken inside.
const ALPN: &[u8] = b"http/1.1";

/// The most authorities of one listener.
pub const MOST_ANCHORS: usize = 1024;

/// Whose certificates are believed, and whether a client needs one.
#[derive(Clone, Debug, Default)]
pub struct ClientTrust {
    /// The authorities, each with its own revocation list and its own tenant.
    pub anchors: Vec<Anchor>,
    /// Authorities that would be believed if there were a list of theirs. They open nothing.
    pub unlisted: Vec<Unlisted>,
    /// Whether a client without a certificate is refused. A client with a bad one always is.
    pub required: bool,
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OldestTls {
    /// TLS 1.2 and 1.3, for clients that cannot do better.
    Tls12,
    /// TLS 1.3 only.
    #[default]
    Tls13,
}

/// Builds what a listener serves TLS with.
#[derive(Clone, Copy, Debug)]
pub struct ServerTls;

/// Why a listener cannot serve TLS like this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsError {
    /// The anchor's certificate is not that of an authority.
    #[error("this is not the certificate of an authority: {0}")]
    Anchor(PeerError),
    /// The server's certificates are unreadable.
    #[error("the server's certificates cannot be read")]
    Certificate,
    /// There is no revocation list of the authority's own, or one that cannot be used.
    #[error("the authority has no usable revocation list of its own")]
    Crl,
    /// A revocation list is of an authority that is not one of these, or was not signed by it.
    #[error("a revocation list was not signed by any of these authorities")]
    CrlForeign,
    /// The revocation list is older than the one in use.
    #[error("the revocation list is older than the one in use")]
    CrlOlder,
    /// The server's private key is unreadable or not the certificate's.
    #[error("the server's key cannot be read or is not its certificate's")]
    Key,
    /// Client certificates are required, and no authority is trusted.
    #[error("client certificates are required, but no authority is trusted")]
    NoAnchor,
    /// The cryptographic library refused.
    #[error("TLS could not be set up")]
    Setup,
    /// More authorities than one listener can look through.
    #[error("one listener trusts at most 1024 authorities")]
    TooManyAnchors,
}

impl ServerTls {
    /// Builds the configuration of one listener from its certificates (leaf first, PEM) and key
    /// (PEM). `time` is asked at every handshake.
    ///
    /// # Errors
    ///
    /// When the certificates or the key cannot be used, or nobody could ever connect.
    pub fn build(
        chain_pem: &str,
        key: &Secret,
        trust: &ClientTrust,
        oldest: OldestTls,
        time: Arc<dyn TimeProvider>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let chain: Vec<CertificateDer<'static>> =
            certificate::every(chain_pem).ok_or(TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key.expose()).map_err(|_| TlsError::Key)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_details(provider, time)
            .with_protocol_versions(&oldest.versions())
            .map_err(|_| TlsError::Setup)?;
        let builder = if trust.anchors.is_empty() && !trust.required {
            builder.with_no_client_auth()
        } else {
            builder.with_client_cert_verifier(Arc::new(AgentVerifier::new(trust)?))
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|_| TlsError::Key)?;
        // INVARIANT: every connection is a full handshake, or revocation would not be asked.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.require_ems = true;
        config.key_log = Arc::new(NoKeyLog {});
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }
}

impl OldestTls {
    fn versions(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Tls12 => vec![&version::TLS13, &version::TLS12],
            Self::Tls13 => vec![&version::TLS13],
        }
    }
}

#[cfg(test)]
mod tests;
