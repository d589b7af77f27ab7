//! The audit log and the nonces, in the registry.

use async_trait::async_trait;
use cs_gateway::ports::{AuditSink, Nonce, NonceStore, PortError};
use cs_model::event::Event;
use cs_model::{CredentialId, Timestamp};
use cs_registry::{Registry, nonce};

use super::Doing as _;
use crate::bell::Bell;
use crate::change::Topic;

#[derive(Debug)]
pub(crate) struct Log {
    pub(super) registry: Registry,
    pub(super) bell: Bell,
}

#[async_trait]
impl AuditSink for Log {
    async fn record(&self, events: Vec<Event>) -> Result<(), PortError> {
        self.registry.record(events).await.doing("write to the audit log")?;
        self.bell.ring(Topic::Audit);
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Nonces {
    pub(super) registry: Registry,
}

#[async_trait]
impl NonceStore for Nonces {
    async fn remember(
        &self,
        credential: CredentialId,
        nonce: &str,
        until: Timestamp,
    ) -> Result<Nonce, PortError> {
        let work = nonce::Remember { credential, nonce: nonce.to_owned(), until };
        match self.registry.submit(work).await.doing("remember a nonce")? {
            nonce::Nonce::Fresh => Ok(Nonce::Fresh),
            nonce::Nonce::Seen => Ok(Nonce::Seen),
        }
    }
}
