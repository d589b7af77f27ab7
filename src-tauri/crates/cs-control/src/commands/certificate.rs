//! Certificates of agents.

use std::time::Duration;

use cs_model::event::{Event, EventKind};
use cs_model::{AgentId, AuthorityId, CredentialId, Digest, TaskId, TenantId};
use cs_registry::SqliteConnection;
use cs_registry::credential::{self, NewCredential, OutsideName, Proof};
use cs_registry::outside as others;
use cs_trust::ca::{CaError, IssuedLeaf, LeafKey};
use cs_trust::claimed::CertificateFacts;
use cs_trust::peer;
use cs_trust::spiffe::{SpiffeId, WorkloadId, WorkloadPrefix};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::credential::{is_standing, one};
use crate::control::Control;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::secret_text::ShownOnce;
use crate::view::agent::CredentialView;
use crate::view::certificate::IssuedCertificate;
use crate::{authority, binding, lifecycle, names, ready};

/// How long a certificate lasts unless said otherwise: 24 hours.
const USUAL_SECS: u64 = 24 * 60 * 60;

/// How long a certificate lasts at most: seven days.
pub(crate) const MOST_SECS: u64 = 7 * 24 * 60 * 60;

/// Issues a certificate to an agent. Its key, if it is made here, is in the answer and nowhere
/// else.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CertificateIssue {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// Seconds; 24 h when absent, 7 days at most.
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// A signing request (PEM) of the agent's own key. Nothing but the key is taken from it.
    #[serde(default)]
    #[ts(optional)]
    pub csr: Option<String>,
    /// The task that the ready configuration declares.
    #[serde(default)]
    #[ts(optional)]
    pub task: Option<TaskId>,
    /// The tasks that it may declare; all of its agent's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tasks: Option<Vec<TaskId>>,
    /// The networks that it may be used from (CIDR); all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub networks: Option<Vec<String>>,
}

impl Command for CertificateIssue {
    const NAME: &'static str = "certificate_issue";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuedCertificate;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<IssuedCertificate, ControlError> {
        let (tenant, agent) = (self.tenant, self.agent);
        let done = self.issue(control, caller).await;
        if let Err(error @ ControlError::Invalid { field: Some("csr"), .. }) = &done {
            let core = control.core()?;
            let event = Event {
                tenant: Some(tenant),
                agent: Some(agent),
                actor: Some(caller.actor.on_record()),
                correlation: Some(caller.correlation),
                reason: Some("certificate_not_issued".to_owned()),
                detail: Some(format!("refused to issue a certificate: {error}")),
                ..Event::new(EventKind::AdminChanged, core.now())
            };
            core.registry.record(vec![event]).await?;
        }
        done
    }
}

impl CertificateIssue {
    async fn issue(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<IssuedCertificate, ControlError> {
        let asked = self.lifetime_secs.unwrap_or(USUAL_SECS);
        if !(1..=MOST_SECS).contains(&asked) {
            let rule = format!("a certificate lasts between 1 and {MOST_SECS} seconds (7 days)");
            return Err(ControlError::invalid("lifetime_secs", rule));
        }
        let networks = binding::networks(self.networks)?;
        let core = control.core()?;
        core.vault()?;
        let id = CredentialId::from_random(core.random()?);
        let alone = core.hold().await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let lifetime = binding::lifetime(doc, self.lifetime_secs, USUAL_SECS)?;
        let agent = binding::agent(doc, self.agent)?;
        let tasks = binding::tasks(doc, agent, self.tasks)?;
        let task = self.task.map(|id| binding::task(doc, agent, id, "task")).transpose()?;
        if tasks.as_ref().is_some_and(|bound| self.task.is_some_and(|it| !bound.contains(&it))) {
            let rule = "the certificate is bound to other tasks than this one";
            return Err(ControlError::invalid("task", rule));
        }
        let signer = authority::of_tenant(&core, doc).await?;
        let servers = authority::of_servers(&core).await?;
        let mut edit = core.edit_alone(alone, caller).await?;
        let (signer, servers) = (signer.enter(&mut edit).await?, servers.enter(&mut edit).await?);
        let spiffe = SpiffeId {
            trust_domain: authority::trust_domain(&core)?,
            tenant: doc.name.clone(),
            agent: agent.name.clone(),
        };
        let key = self.csr.as_deref().map_or(LeafKey::Generate, LeafKey::Csr);
        let span = Duration::from_secs(lifetime);
        let leaf = signer.issue_agent(&spiffe, key, core.random()?, edit.at(), span);
        let leaf = leaf.map_err(refused)?;
        if has_key(edit.db(), &leaf).await? {
            let rule = "this key has a certificate already; make a new one";
            return Err(ControlError::invalid("csr", rule));
        }
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof: Proof::Certificate {
                serial: leaf.serial.clone(),
                fingerprint: leaf.fingerprint,
                spiffe: spiffe.to_string(),
                pem: leaf.certificate_pem.clone(),
            },
            key_id: leaf.fingerprint.to_string(),
            sealed_secret: None,
            networks,
            tasks,
            created: edit.at(),
            expires: leaf.not_after,
        };
        credential::issue(edit.db(), &new).await?;
        let what = format!("issued a certificate to `{}`", agent.name);
        let mut event = edit.admin(self.tenant, what);
        (event.agent, event.credential) = (Some(agent.id), Some(id));
        edit.tell(event);
        edit.record().await?;

        let origin = lifecycle::expected_address(control);
        let endpoint = ready::endpoint(&origin, &doc.name, task);
        Ok(IssuedCertificate {
            credential: id,
            spiffe: spiffe.to_string(),
            serial: leaf.serial,
            fingerprint: leaf.fingerprint,
            certificate: leaf.certificate_pem,
            key: leaf.key_pem.map(ShownOnce::new),
            authority: signer.certificate_pem().to_owned(),
            server_authority: servers.certificate_pem().to_owned(),
            expires: leaf.not_after,
            configurations: ready::with_certificate(
                &control.inner().options.executable,
                &endpoint,
                &agent.name,
            ),
            endpoint,
        })
    }
}

/// Whether a key was certified before, for whomever: two agents with one key are one agent, and a
/// key whose certificate was revoked may be known to others.
async fn has_key(db: &mut SqliteConnection, leaf: &IssuedLeaf) -> Result<bool, ControlError> {
    let all = credential::all(db).await?;
    Ok(all.iter().any(|it| match &it.proof {
        Proof::Certificate { pem, .. } => peer::public_key_of(pem) == Some(leaf.spki),
        Proof::ApiKey
        | Proof::Client { .. }
        | Proof::External { .. }
        | Proof::OutsideCertificate { .. } => false,
    }))
}

/// What is wrong with what was asked for.
fn refused(error: CaError) -> ControlError {
    match error {
        CaError::Request | CaError::RequestSignature | CaError::WeakKey => {
            ControlError::invalid("csr", error.to_string())
        }
        CaError::Lifetime => ControlError::invalid("lifetime_secs", error.to_string()),
        CaError::Certificate(_)
        | CaError::Crypto
        | CaError::Dates
        | CaError::Key
        | CaError::Serial
        | CaError::ServerName
        | CaError::Subject => ControlError::internal("issue the certificate", error),
    }
}

/// Registers certificates of an authority of others as an agent: one certificate, or each that
/// names the agent by one SPIFFE id.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CertificateRegister {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that they identify.
    pub agent: AgentId,
    /// The authority.
    pub authority: AuthorityId,
    /// The SPIFFE id, letter by letter.
    #[serde(default)]
    #[ts(optional)]
    pub spiffe: Option<String>,
    /// The SHA-256 of the one certificate (DER), in hexadecimal digits.
    #[serde(default)]
    #[ts(optional)]
    pub fingerprint: Option<Digest>,
    /// The one certificate itself (PEM), instead of its fingerprint.
    #[serde(default)]
    #[ts(optional)]
    pub certificate: Option<String>,
    /// Seconds; 90 days when absent and at most.
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// The tasks that they may declare; all of the agent's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tasks: Option<Vec<TaskId>>,
    /// The networks that they may be used from (CIDR); all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub networks: Option<Vec<String>>,
}

impl Command for CertificateRegister {
    const NAME: &'static str = "certificate_register";
    const NEEDS: Permission = Permission::Edit;
    type Answer = CredentialView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<CredentialView, ControlError> {
        let networks = binding::networks(self.networks)?;
        let core = control.core()?;
        let id = CredentialId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let lifetime = binding::lifetime(doc, self.lifetime_secs, binding::MOST_SECS)?;
        let agent = binding::agent(doc, self.agent)?;
        let tasks = binding::tasks(doc, agent, self.tasks)?;
        let found = others::find(edit.db(), self.tenant, self.authority).await?;
        let named = named(&found.prefix, self.spiffe, self.fingerprint, self.certificate)?;
        let key_id = free_key_id(&mut edit, self.tenant, id, found.id, &named).await?;
        let proof = Proof::OutsideCertificate { authority: found.id, named };
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof,
            key_id,
            sealed_secret: None,
            networks,
            tasks,
            created: edit.at(),
            expires: edit.at().after(Duration::from_secs(lifetime)),
        };
        credential::issue(edit.db(), &new).await?;
        let what = format!(
            "registered the certificate `{}` of `{}` as agent `{}`",
            new.key_id, found.name, agent.name
        );
        let mut event = edit.admin(self.tenant, what);
        (event.agent, event.credential) = (Some(agent.id), Some(id));
        edit.tell(event);
        edit.record().await?;
        one(&core, self.tenant, id).await
    }
}

/// Which certificates are meant: said in one way only, and such as the authority may issue.
fn named(
    prefix: &str,
    spiffe: Option<String>,
    fingerprint: Option<Digest>,
    certificate: Option<String>,
) -> Result<OutsideName, ControlError> {
    let allowed = |id: &str| {
        let id = WorkloadId::parse(id)
            .map_err(|error| ControlError::invalid("spiffe", error.to_string()))?;
        let covered = WorkloadPrefix::parse(prefix).is_ok_and(|prefix| prefix.covers(&id));
        let rule = || format!("the authority may speak only for ids that begin with `{prefix}`");
        if covered { Ok(()) } else { Err(ControlError::invalid("spiffe", rule())) }
    };
    match (spiffe, fingerprint, certificate) {
        (Some(spiffe), None, None) => allowed(&spiffe).map(|()| OutsideName::Spiffe(spiffe)),
        (None, Some(fingerprint), None) => Ok(OutsideName::Fingerprint(fingerprint)),
        (None, None, Some(pem)) => {
            let read = CertificateFacts::every(&pem).unwrap_or_default();
            let [leaf, ..] = read.as_slice() else {
                let rule = "this is no certificate in PEM";
                return Err(ControlError::invalid("certificate", rule));
            };
            let [name] = leaf.names.as_slice() else {
                let rule = "the certificate does not have exactly one name, a SPIFFE id";
                return Err(ControlError::invalid("certificate", rule));
            };
            allowed(name).map(|()| OutsideName::Fingerprint(leaf.fingerprint))
        }
        _ => {
            let rule = "say either the SPIFFE id, or the fingerprint, or the certificate";
            Err(ControlError::invalid("spiffe", rule))
        }
    }
}

/// What certificates of others are listed under. They are one agent's at a time; a registration
/// that is over makes way for another.
async fn free_key_id(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    id: CredentialId,
    authority: AuthorityId,
    named: &OutsideName,
) -> Result<String, ControlError> {
    let now = edit.at();
    let all = credential::list(edit.db(), tenant).await?;
    let proof = Proof::OutsideCertificate { authority, named: named.clone() };
    let which = match named {
        OutsideName::Fingerprint(it) => it.to_string(),
        OutsideName::Spiffe(it) => it.clone(),
    };
    let mut before = all.iter().filter(|it| it.proof == proof).peekable();
    let taken = before.peek().is_some();
    if before.any(|it| is_standing(it.state(now))) {
        return Err(ControlError::conflict(
            "this certificate is registered already; revoke that credential first",
        ));
    }
    let name = format!("{authority}/{which}");
    Ok(if taken { format!("{name}/{id}") } else { name })
}
