//! Certificates of agents.

use std::time::Duration;

use cs_model::{AgentId, CredentialId, TaskId, TenantId};
use cs_registry::credential::{self, NewCredential, Proof};
use cs_registry::{SqliteConnection, authority as table};
use cs_trust::ca::{CaError, IssuedLeaf, LeafKey};
use cs_trust::peer;
use cs_trust::spiffe::SpiffeId;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::secret_text::ShownOnce;
use crate::view::certificate::{AuthorityView, IssuedCertificate};
use crate::{authority, lifecycle, names, ready, show};

/// How long a certificate lasts unless said otherwise: 24 hours.
const USUAL_SECS: u64 = 24 * 60 * 60;

/// How long a certificate lasts at most: seven days.
const MOST_SECS: u64 = 7 * 24 * 60 * 60;

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
        let lifetime = self.lifetime_secs.unwrap_or(USUAL_SECS);
        if !(1..=MOST_SECS).contains(&lifetime) {
            let rule = format!("a certificate lasts between 1 and {MOST_SECS} seconds (7 days)");
            return Err(ControlError::invalid("lifetime_secs", rule));
        }
        let core = control.core()?;
        core.vault()?;
        let id = CredentialId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let agent = doc.agents.iter().find(|it| it.id == self.agent);
        let agent = agent.ok_or(ControlError::NotFound { what: "agent" })?;
        let task = doc.tasks.iter().find(|it| Some(it.id) == self.task);
        if self.task.is_some_and(|id| task.is_none() || !agent.tasks.contains(&id)) {
            let rule = format!("agent `{}` may not declare this task", agent.name);
            return Err(ControlError::invalid("task", rule));
        }
        let signer = authority::of_tenant(&core, &mut edit, doc).await?;
        let servers = authority::of_servers(&core, &mut edit).await?;
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
            networks: Vec::new(),
            tasks: None,
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
        let endpoint = ready::endpoint(&origin, &doc.name, task.map(|it| &it.name));
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
        Proof::ApiKey | Proof::Client { .. } | Proof::External { .. } => false,
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

/// Who issues the certificates of a tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthorityShow {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for AuthorityShow {
    const NAME: &'static str = "authority_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = AuthorityView;

    async fn run(self, control: &Control, _: &Caller) -> Result<AuthorityView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let now = core.now();
        let mut db = core.registry.read().await?;
        let found = table::find(&mut db, self.tenant).await?;
        let all = credential::list(&mut db, self.tenant).await?;
        let revoked = all.iter().filter(|it| {
            let is_certificate = matches!(it.proof, Proof::Certificate { .. });
            is_certificate && it.revoked_at.is_some() && it.expires > now
        });
        Ok(AuthorityView {
            created: found.as_ref().map(|it| it.created),
            list_number: found.as_ref().map_or(0, |it| it.crl_number),
            certificate: found.map(|it| it.certificate),
            speaks_for: authority::prefix(&core, doc)?.to_string(),
            revoked: show::count(revoked.count()),
            server_authority: table::servers(&mut db).await?,
        })
    }
}
