//! Agents and what they prove themselves with.

use cs_model::state::{CredentialKind, CredentialState, Standing};
use cs_model::{
    AgentId, AuthorityId, CredentialId, Digest, MostWaiting, ProviderId, Rate, Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::signing::OperatorRef;
use super::task::{RoleRef, TaskRef};
use crate::secret_text::ShownOnce;

/// An agent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AgentView {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Whether it may act.
    pub standing: Standing,
    /// The roles it acts in.
    pub roles: Vec<RoleRef>,
    /// The tasks it may declare.
    pub tasks: Vec<TaskRef>,
    /// How often it may call any tool; as often as it likes when absent.
    pub rate: Option<Rate>,
    /// How many of its calls may wait for people at a time; the usual number, which is 10, when
    /// absent.
    pub most_waiting: Option<MostWaiting>,
    /// The operator who answers for it.
    pub responsible: Option<OperatorRef>,
    /// What it proves itself with.
    pub credentials: Vec<CredentialView>,
    /// When it was last heard of.
    pub last_seen: Option<Timestamp>,
    /// How many of its sessions are not over.
    pub live_sessions: u64,
    /// When it was made.
    pub created: Timestamp,
}

/// A credential, without its secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CredentialView {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub agent: AgentId,
    /// What kind it is of.
    pub kind: CredentialKind,
    /// What proves it, as far as that is public.
    pub proof: ProofView,
    /// The id that a request names.
    pub key_id: String,
    /// The networks that it may be used from (CIDR). None means all.
    pub networks: Vec<String>,
    /// The tasks that it may declare, where it is bound more narrowly than its agent.
    pub tasks: Option<Vec<TaskRef>>,
    /// Whether it may be used.
    pub state: CredentialState,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// The address it was last used from.
    pub last_from: Option<String>,
    /// The credential that it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub replaces: Option<CredentialId>,
    /// Whether it still waits for its holder to fetch it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub waits: bool,
    /// When it makes way for the one that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub overlap_ends: Option<Timestamp>,
    /// When another one takes its place by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rotates: Option<Timestamp>,
}

/// What proves a credential, as far as that is public.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProofView {
    /// A secret that signs each request.
    ApiKey,
    /// A certificate.
    Certificate {
        /// Its serial number, in hexadecimal digits.
        serial: String,
        /// The SHA-256 of the certificate (DER).
        fingerprint: Digest,
        /// The SPIFFE id in it.
        spiffe: String,
        /// The certificate itself, as PEM.
        pem: String,
    },
    /// Certificates of an outside authority: one, or each with one SPIFFE id.
    OutsideCertificate {
        /// The authority.
        authority: AuthorityId,
        /// The SHA-256 of the one certificate that it is.
        fingerprint: Option<Digest>,
        /// The SPIFFE id of those that it is.
        spiffe: Option<String>,
    },
    /// A client of the gateway's own token issuer.
    Client {
        /// How it proves itself at the token endpoint.
        method: ClientMethodView,
    },
    /// A subject of an identity provider.
    External {
        /// The provider.
        provider: ProviderId,
        /// Its name.
        provider_name: String,
        /// The subject, as the provider's claim map finds it.
        subject: String,
    },
}

/// How a client of the gateway's own token issuer proves itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ClientMethodView {
    /// A secret.
    ClientSecretBasic,
    /// An assertion that is signed with its private key.
    PrivateKeyJwt,
    /// A certificate.
    TlsClientAuth,
}

/// A new API key. Shown once.
#[derive(Debug, Serialize, TS)]
pub struct IssuedKey {
    /// Its credential.
    pub credential: CredentialId,
    /// The id that requests name.
    pub key_id: String,
    /// What requests are signed with.
    pub secret: ShownOnce,
    /// When it ends.
    pub expires: Timestamp,
    /// The endpoint that the agent calls.
    pub endpoint: String,
    /// Ready configurations: a title, what to do with it, and its text.
    pub configurations: Vec<ReadyConfiguration>,
}

/// A configuration to paste.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ReadyConfiguration {
    /// What it is for.
    pub title: String,
    /// What to do with it.
    pub hint: String,
    /// What it is written in.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// What a configuration is written in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// JSON.
    Json,
    /// Lines for a shell.
    Shell,
}
