//! Credentials: how agents prove who they are. Secrets are sealed; this crate cannot open them.

mod page;
mod stand;

use std::collections::{BTreeMap, BTreeSet};

use cs_model::state::{CredentialKind, CredentialState};
use cs_model::{
    AgentId, AuthorityId, CredentialId, Digest, ProviderId, TaskId, TenantId, Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{json, time, to_json};

pub use page::{Filter, Found, Page, page, stages};
pub use stand::{release, revoke, suspend};

/// What proves a credential, as far as that is public.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
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
    /// Certificates of an outside authority.
    OutsideCertificate {
        /// The authority.
        authority: AuthorityId,
        /// Which of its certificates.
        named: OutsideName,
    },
    /// A client of the gateway's own token issuer.
    Client {
        /// How it proves itself at the token endpoint.
        method: ClientMethod,
    },
    /// A subject of an identity provider.
    External {
        /// The provider.
        provider: ProviderId,
        /// The subject, as the provider's claim map finds it.
        subject: String,
    },
}

/// Which certificates of an outside authority are meant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutsideName {
    /// The one with this SHA-256.
    Fingerprint(Digest),
    /// Each with this SPIFFE id.
    Spiffe(String),
}

/// How a client of the gateway's own token issuer proves itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMethod {
    /// `private_key_jwt`: an assertion signed with one of these keys (RFC 7523).
    Assertion {
        /// The public keys, a JWK Set as JSON text.
        jwks: String,
    },
    /// `tls_client_auth`: a certificate with this SPIFFE id (RFC 8705).
    Certificate {
        /// The SPIFFE id.
        spiffe: String,
    },
    /// `client_secret_basic`: a 256-bit random secret.
    Secret {
        /// The SHA-256 of the secret's text.
        digest: Digest,
    },
}

impl Proof {
    /// The kind of credential that it proves.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey => CredentialKind::ApiKey,
            Self::Certificate { .. } | Self::OutsideCertificate { .. } => {
                CredentialKind::Certificate
            }
            Self::Client { .. } => CredentialKind::Client,
            Self::External { .. } => CredentialKind::External,
        }
    }
}

/// A credential, but for its secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// What proves it.
    pub proof: Proof,
    /// What a request names it by. Unique in the installation.
    pub key_id: String,
    /// The networks that it may be used from (CIDR). None means all.
    pub networks: Vec<String>,
    /// The tasks that it may declare, where it is bound more narrowly than its agent.
    pub tasks: Option<BTreeSet<TaskId>>,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was suspended, while it is.
    pub suspended_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last accepted.
    pub last_used: Option<Timestamp>,
    /// The address that it was last accepted from.
    pub last_from: Option<String>,
    /// When it was first accepted.
    pub first_used: Option<Timestamp>,
    /// The credential that it takes the place of.
    pub replaces: Option<CredentialId>,
    /// When its holder was given its secret, where it takes the place of another.
    pub delivered: Option<Timestamp>,
    /// When it makes way for the one that takes its place.
    pub overlap_ends: Option<Timestamp>,
}

impl Credential {
    /// When it ends, by its own time or because another one has taken its place.
    pub fn ends(&self) -> Timestamp {
        self.overlap_ends.map_or(self.expires, |ends| ends.min(self.expires))
    }

    /// Whether it still waits for its holder to fetch it.
    pub const fn waits(&self) -> bool {
        self.replaces.is_some() && self.delivered.is_none() && self.first_used.is_none()
    }

    /// Whether it may be used. Revoked weighs more than suspended, and that more than expired.
    pub fn state(&self, now: Timestamp) -> CredentialState {
        if self.revoked_at.is_some() {
            CredentialState::Revoked
        } else if self.suspended_at.is_some() {
            CredentialState::Suspended
        } else if self.ends() <= now {
            CredentialState::Expired
        } else {
            CredentialState::Active
        }
    }
}

/// A new credential.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Its id.
    pub id: CredentialId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// What proves it.
    pub proof: Proof,
    /// What a request names it by.
    pub key_id: String,
    /// Its secret, sealed for its tenant and id: of an API key, and of nothing else.
    pub sealed_secret: Option<Vec<u8>>,
    /// The networks that it may be used from (CIDR). None means all.
    pub networks: Vec<String>,
    /// The tasks that it may declare, where it is bound more narrowly than its agent.
    pub tasks: Option<BTreeSet<TaskId>>,
    /// When it was issued.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// Adds a credential.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the key id is taken, [`RegistryError::NotFound`] when the
/// tenant lacks the agent or one of the tasks.
pub async fn issue(db: &mut SqliteConnection, new: &NewCredential) -> Result<(), RegistryError> {
    let (id, tenant, agent) = (new.id.uuid(), new.tenant.uuid(), new.agent.uuid());
    let (kind, bound) = (new.proof.kind().as_str(), new.tasks.is_some());
    let proof = to_json(&new.proof, "the proof of a credential")?;
    let networks = to_json(&new.networks, "a list of networks")?;
    let provider = match &new.proof {
        Proof::External { provider, .. } => Some(provider.uuid()),
        Proof::ApiKey
        | Proof::Certificate { .. }
        | Proof::Client { .. }
        | Proof::OutsideCertificate { .. } => None,
    };
    let (created, expires) = (new.created.millis(), new.expires.millis());
    sqlx::query!(
        "INSERT INTO credential (id, tenant_id, agent_id, kind, key_id, sealed_secret, task_bound,
                                 created, expires, proof, provider_id, networks)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        id,
        tenant,
        agent,
        kind,
        new.key_id,
        new.sealed_secret,
        bound,
        created,
        expires,
        proof,
        provider,
        networks,
    )
    .execute(&mut *db)
    .await
    .creating("a credential with this key id", "issue the credential")?;
    for task in new.tasks.iter().flatten() {
        let task = task.uuid();
        sqlx::query!(
            "INSERT INTO credential_task (tenant_id, credential_id, task_id) VALUES (?1, ?2, ?3)",
            tenant,
            id,
            task,
        )
        .execute(&mut *db)
        .await
        .creating("the credential's task", "bind the credential to a task")?;
    }
    Ok(())
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    agent_id: Uuid,
    proof: String,
    key_id: String,
    networks: String,
    task_bound: bool,
    created: i64,
    expires: i64,
    suspended_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used: Option<i64>,
    last_from: Option<String>,
    first_used: Option<i64>,
    replaces: Option<Uuid>,
    delivered: Option<i64>,
    overlap_ends: Option<i64>,
}

impl Row {
    fn read(
        self,
        tasks: &mut BTreeMap<Uuid, BTreeSet<TaskId>>,
    ) -> Result<Credential, RegistryError> {
        let bound = tasks.remove(&self.id).unwrap_or_default();
        Ok(Credential {
            id: CredentialId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            agent: AgentId::new(self.agent_id),
            proof: json(&self.proof, "the proof of a credential")?,
            key_id: self.key_id,
            networks: json(&self.networks, "a list of networks")?,
            tasks: self.task_bound.then_some(bound),
            created: time(self.created),
            expires: time(self.expires),
            suspended_at: self.suspended_at.map(time),
            revoked_at: self.revoked_at.map(time),
            last_used: self.last_used.map(time),
            last_from: self.last_from,
            first_used: self.first_used.map(time),
            replaces: self.replaces.map(CredentialId::new),
            delivered: self.delivered.map(time),
            overlap_ends: self.overlap_ends.map(time),
        })
    }
}

/// A tenant's credentials, newest first.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Credential>, RegistryError> {
    let uuid = tenant.uuid();
    let mut tasks: BTreeMap<Uuid, BTreeSet<TaskId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT credential_id AS "credential: Uuid", task_id AS "task: Uuid"
             FROM credential_task
            WHERE tenant_id = ?1"#,
        uuid,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the credentials' tasks")?
    {
        tasks.entry(row.credential).or_default().insert(TaskId::new(row.task));
    }
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  proof, key_id, networks, task_bound AS "task_bound: bool", created, expires, suspended_at,
                  revoked_at, last_used, last_from, first_used,
                  replaces AS "replaces: Uuid", delivered, overlap_ends
             FROM credential
            WHERE tenant_id = ?1
            ORDER BY created DESC, rowid DESC"#,
        uuid,
    )
    .fetch_all(db)
    .await
    .doing("list the credentials")?
    .into_iter()
    .map(|row| row.read(&mut tasks))
    .collect()
}

/// The credentials of every tenant, oldest first: what the gateway recognises callers by.
///
/// # Errors
///
/// When the database fails.
pub async fn all(db: &mut SqliteConnection) -> Result<Vec<Credential>, RegistryError> {
    let mut tasks = all_tasks(&mut *db).await?;
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  proof, key_id, networks, task_bound AS "task_bound: bool", created, expires, suspended_at,
                  revoked_at, last_used, last_from, first_used,
                  replaces AS "replaces: Uuid", delivered, overlap_ends
             FROM credential
            ORDER BY created, rowid"#,
    )
    .fetch_all(db)
    .await
    .doing("list the credentials")?
    .into_iter()
    .map(|row| row.read(&mut tasks))
    .collect()
}

/// The tasks that credentials of every tenant are bound to.
async fn all_tasks(
    db: &mut SqliteConnection,
) -> Result<BTreeMap<Uuid, BTreeSet<TaskId>>, RegistryError> {
    let mut tasks: BTreeMap<Uuid, BTreeSet<TaskId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT credential_id AS "credential: Uuid", task_id AS "task: Uuid"
             FROM credential_task"#,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the credentials' tasks")?
    {
        tasks.entry(row.credential).or_default().insert(TaskId::new(row.task));
    }
    Ok(tasks)
}

/// The credentials of every tenant that were not revoked, oldest first.
///
/// # Errors
///
/// When the database fails.
pub async fn standing(db: &mut SqliteConnection) -> Result<Vec<Credential>, RegistryError> {
    let mut tasks = all_tasks(&mut *db).await?;
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  proof, key_id, networks, task_bound AS "task_bound: bool", created, expires, suspended_at,
                  revoked_at, last_used, last_from, first_used,
                  replaces AS "replaces: Uuid", delivered, overlap_ends
             FROM credential
            WHERE revoked_at IS NULL
            ORDER BY created, rowid"#,
    )
    .fetch_all(db)
    .await
    .doing("list the credentials that were not revoked")?
    .into_iter()
    .map(|row| row.read(&mut tasks))
    .collect()
}

/// One credential.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such credential.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    credential: CredentialId,
) -> Result<Credential, RegistryError> {
    let (uuid, id) = (tenant.uuid(), credential.uuid());
    let tasks = sqlx::query_scalar!(
        r#"SELECT task_id AS "task: Uuid"
             FROM credential_task
            WHERE tenant_id = ?1
              AND credential_id = ?2"#,
        uuid,
        id,
    )
    .fetch_all(&mut *db)
    .await
    .doing("look up the credential's tasks")?;
    let mut tasks = BTreeMap::from([(id, tasks.into_iter().map(TaskId::new).collect())]);
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  proof, key_id, networks, task_bound AS "task_bound: bool", created, expires, suspended_at,
                  revoked_at, last_used, last_from, first_used,
                  replaces AS "replaces: Uuid", delivered, overlap_ends
             FROM credential
            WHERE tenant_id = ?1
              AND id = ?2"#,
        uuid,
        id,
    )
    .fetch_optional(db)
    .await
    .doing("look up the credential")?
    .ok_or(RegistryError::NotFound { what: "credential" })?
    .read(&mut tasks)
}

/// A sealed secret and the tenant that its seal is bound to.
#[derive(Clone, Debug)]
pub struct SealedSecret {
    /// The tenant of the credential.
    pub tenant: TenantId,
    /// Its sealed secret.
    pub sealed: Vec<u8>,
}

/// The sealed secret of a credential. Asked for before anything about the caller is known to be
/// true, so the tenant comes from here and is not handed in.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such credential.
pub async fn sealed_secret(
    db: &mut SqliteConnection,
    credential: CredentialId,
) -> Result<SealedSecret, RegistryError> {
    let credential = credential.uuid();
    let row = sqlx::query!(
        r#"SELECT tenant_id AS "tenant: Uuid", sealed_secret FROM credential WHERE id = ?1"#,
        credential,
    )
    .fetch_optional(db)
    .await
    .doing("look up the credential's secret")?
    .ok_or(RegistryError::NotFound { what: "credential" })?;
    let sealed =
        row.sealed_secret.ok_or(RegistryError::NotFound { what: "credential's secret" })?;
    Ok(SealedSecret { tenant: TenantId::new(row.tenant), sealed })
}
