//! Mint and verify: request signatures, access tokens, certificates, operation tokens, operator
//! keys, sealed values.
//!
//! Pure: no IO, no clock, no randomness of its own. Time, nonces and seeds are parameters, so
//! that every value can be reproduced in a test; only the keys and signatures of certificates take
//! their randomness inside AWS-LC, which makes them. Cryptography is AWS-LC's; this crate decides
//! what is put into it and what is believed of what comes out.
//!
//! Read it in this order: [`request`], [`token`], [`dpop`] and [`assertion`] (how an agent proves
//! who it is), [`spiffe`], [`peer`], [`ca`] and [`tls`] (how it does so with a certificate),
//! [`operator`] (the key of a person), [`operation`] and [`series`] (what that key signs), [`key`] and [`seal`]
//! (how secrets are made and kept), [`console`] (how a console joins a gateway elsewhere), [`webhook`]
//! (how a notice to a web server is signed).

pub mod assertion;
pub mod ca;
mod certificate;
pub mod claimed;
pub mod console;
pub mod dpop;
mod jws;
pub mod key;
pub mod operation;
pub mod operator;
pub mod peer;
#[cfg(test)]
mod published;
pub mod request;
pub mod seal;
pub mod series;
pub mod spiffe;
pub mod tls;
pub mod token;
pub mod webhook;

pub use ca::{Authority, CaError, IssuedLeaf, LeafKey, RevokedSerial};
pub use claimed::{CertificateFacts, Claimed};
pub use key::ApiKeyPair;
pub use operation::{TokenError, Verified};
pub use operator::{OperatorKey, OperatorKeyError};
pub use peer::{PeerCertificate, PeerError};
pub use request::{Headers, Incoming, Outgoing, Presented, RequestError};
pub use seal::{SealError, SealingKey};
pub use spiffe::{SpiffeError, SpiffeId, SpiffePrefix, TrustDomain, WorkloadId, WorkloadPrefix};
pub use tls::{
    AgentVerifier, Anchor, ChainedPeer, ClientTrust, OldestTls, OutsideAuthority, Owner,
    RefusedPeer, Scope, ServerTls, TlsError, Unlisted,
};
pub use webhook::WebhookKey;
