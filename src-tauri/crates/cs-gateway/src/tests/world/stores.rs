//! Time, chance, the log, what sessions and nonces are kept in and where secrets come from, in a
//! journal.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use cs_model::event::Event;
use cs_model::state::SessionEnd;
use cs_model::{CredentialId, Digest, Secret, SessionId, TenantId, Timestamp};
use cs_trust::token::IssuerKey;

use super::{ACME, Journal, secret};
use crate::ports::*;
use crate::tests::idp;

impl Clock for Journal {
    fn now(&self) -> Timestamp {
        self.time()
    }
}

impl Random for Journal {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        for chunk in bytes.chunks_mut(32) {
            let number = self.randomness.fetch_add(1, Ordering::SeqCst);
            chunk.copy_from_slice(&Digest::of(&number.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[async_trait]
impl AuditSink for Journal {
    async fn record(&self, events: Vec<Event>) -> Result<(), PortError> {
        self.audit_is_slow.subscribe().wait_for(|slow| !slow).await.unwrap();
        self.keep(events)
    }
}

#[async_trait]
impl NonceStore for Journal {
    async fn remember(
        &self,
        credential: CredentialId,
        nonce: &str,
        _until: Timestamp,
    ) -> Result<Nonce, PortError> {
        let fresh = self.nonces.lock().unwrap().insert((credential, nonce.to_owned()));
        Ok(if fresh { Nonce::Fresh } else { Nonce::Seen })
    }
}

#[async_trait]
impl SessionStore for Journal {
    async fn opened(&self, session: &StoredSession, events: Vec<Event>) -> Result<(), PortError> {
        self.audit_is_slow.subscribe().wait_for(|slow| !slow).await.unwrap();
        self.keep(events)?;
        self.stored.lock().unwrap().insert(session.session.id, session.clone());
        Ok(())
    }

    async fn rebound(&self, id: SessionId, wire_id: Option<&str>) -> Result<(), PortError> {
        let mut stored = self.stored.lock().unwrap();
        stored.get_mut(&id).unwrap().wire_id = wire_id.map(str::to_owned);
        Ok(())
    }

    async fn ended(
        &self,
        id: SessionId,
        _why: SessionEnd,
        _at: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        if self.stored.lock().unwrap().remove(&id).is_some() {
            self.keep(events)?;
        }
        Ok(())
    }

    async fn live(&self, _now: Timestamp) -> Result<Vec<StoredSession>, PortError> {
        Ok(self.stored.lock().unwrap().values().cloned().collect())
    }
}

#[async_trait]
impl SecretSource for Journal {
    async fn api_key(&self, id: CredentialId) -> Result<Secret, PortError> {
        Ok(secret(id.uuid().as_u128()))
    }

    async fn tenant_secret(&self, tenant: TenantId, name: &str) -> Result<Secret, PortError> {
        if tenant.uuid().as_u128() == ACME && name == "idp" {
            return Ok(Secret::from_text(idp::SECRET.to_owned()));
        }
        Err(PortError { doing: "find the secret", source: None })
    }

    async fn lasting_key(&self) -> Result<Secret, PortError> {
        Ok(Secret::new(vec![9; 32]))
    }

    async fn issuer_key(&self, _: TenantId, key_id: &str) -> Result<Secret, PortError> {
        let is_it = |seed: &[u8; 32]| IssuerKey::from_seed(seed).unwrap().id() == key_id;
        let found = (1..=9).map(|number| [number; 32]).find(is_it).unwrap();
        Ok(Secret::new(found.to_vec()))
    }
}

#[async_trait]
impl RevocationList for Journal {
    async fn give_up(&self, _: GivenUp, events: Vec<Event>) -> Result<(), PortError> {
        self.keep(events)
    }
}
