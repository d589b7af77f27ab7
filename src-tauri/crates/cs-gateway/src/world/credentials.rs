//! Credentials, and what each is recognised by.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use cs_model::state::CredentialState;
use cs_model::{
    AgentId, AuthorityId, CredentialId, Digest, ProviderId, TaskId, TenantId, Timestamp,
};
use ipnet::IpNet;

/// Whose a credential is, and whether it may be used.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The credential.
    pub credential: CredentialId,
    /// Its tenant. A request's tenant is this, never what the address says.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// The tasks that it may declare, where it is bound more narrowly than its agent.
    pub tasks: Option<BTreeSet<TaskId>>,
    /// The networks that it may be used from. None means all.
    pub networks: Vec<IpNet>,
    /// Whether it may be used.
    pub state: CredentialState,
    /// When it ends.
    pub expires: Timestamp,
}

impl Holder {
    /// Whether it may be used from an address.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|it| it.contains(&address))
    }
}

/// What a credential is recognised by.
#[derive(Clone, Debug)]
pub enum Recognised {
    /// The key id that signed requests name.
    ApiKey {
        /// The key id.
        key_id: String,
    },
    /// A certificate.
    Certificate {
        /// The SHA-256 of the certificate (DER).
        fingerprint: Digest,
    },
    /// A certificate of an outside authority.
    OutsideCertificate {
        /// The authority.
        authority: AuthorityId,
        /// Which of its certificates.
        named: OutsideName,
    },
    /// A client of the gateway's own token issuer.
    Client {
        /// Its client id.
        client_id: String,
        /// How it proves itself at the token endpoint.
        proof: ClientProof,
    },
    /// A subject of an identity provider.
    Subject {
        /// The provider.
        provider: ProviderId,
        /// The subject.
        subject: String,
    },
}

/// Which certificates of an outside authority a credential is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum OutsideName {
    /// The one with this SHA-256.
    Fingerprint(Digest),
    /// Each with this SPIFFE id.
    Spiffe(String),
}

/// How a client of the gateway's own token issuer proves itself.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// `private_key_jwt`, with one of these public keys (a JWK Set).
    Assertion {
        /// The keys, as JSON text.
        jwks: String,
    },
    /// `tls_client_auth`, with a certificate of this SPIFFE id.
    Certificate {
        /// The SPIFFE id.
        spiffe: String,
    },
    /// `client_secret_basic`.
    Secret {
        /// The SHA-256 of the secret's text.
        digest: Digest,
    },
}

/// A client of the gateway's own token issuer.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its credential.
    pub credential: CredentialId,
    /// How it proves itself.
    pub proof: ClientProof,
}

/// The credentials of all tenants, and what each is recognised by.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    holders: HashMap<CredentialId, Holder>,
    keys: HashMap<String, CredentialId>,
    certificates: HashMap<Digest, CredentialId>,
    outside: HashMap<(AuthorityId, OutsideName), CredentialId>,
    clients: HashMap<String, Client>,
    subjects: HashMap<ProviderId, HashMap<String, CredentialId>>,
}

impl Credentials {
    /// Takes a credential in.
    pub fn insert(&mut self, holder: Holder, by: Recognised) {
        let id = holder.credential;
        match by {
            Recognised::ApiKey { key_id } => {
                self.keys.insert(key_id, id);
            }
            Recognised::Certificate { fingerprint } => {
                self.certificates.insert(fingerprint, id);
            }
            Recognised::OutsideCertificate { authority, named } => {
                self.outside.insert((authority, named), id);
            }
            Recognised::Client { client_id, proof } => {
                self.clients.insert(client_id, Client { credential: id, proof });
            }
            Recognised::Subject { provider, subject } => {
                self.subjects.entry(provider).or_default().insert(subject, id);
            }
        }
        self.holders.insert(id, holder);
    }

    /// A credential.
    pub fn holder(&self, id: CredentialId) -> Option<&Holder> {
        self.holders.get(&id)
    }

    /// A credential, to change it.
    pub fn holder_mut(&mut self, id: CredentialId) -> Option<&mut Holder> {
        self.holders.get_mut(&id)
    }

    /// The API key that a signed request names.
    pub fn key(&self, key_id: &str) -> Option<&Holder> {
        self.holders.get(self.keys.get(key_id)?)
    }

    /// The credential that a certificate is.
    pub fn certificate(&self, fingerprint: Digest) -> Option<&Holder> {
        self.holders.get(self.certificates.get(&fingerprint)?)
    }

    /// The credential that a certificate of an outside authority is: the one that was registered
    /// by its fingerprint before any that was by its SPIFFE id.
    pub fn outside(
        &self,
        authority: AuthorityId,
        fingerprint: Digest,
        spiffe: &str,
    ) -> Option<&Holder> {
        let by = |named| self.outside.get(&(authority, named));
        let found = by(OutsideName::Fingerprint(fingerprint));
        self.holders.get(found.or_else(|| by(OutsideName::Spiffe(spiffe.to_owned())))?)
    }

    /// A client of the gateway's own token issuer.
    pub fn client(&self, client_id: &str) -> Option<(&Client, &Holder)> {
        let client = self.clients.get(client_id)?;
        Some((client, self.holders.get(&client.credential)?))
    }

    /// The credential of a provider's subject.
    pub fn subject(&self, provider: ProviderId, subject: &str) -> Option<&Holder> {
        self.holders.get(self.subjects.get(&provider)?.get(subject)?)
    }
}
