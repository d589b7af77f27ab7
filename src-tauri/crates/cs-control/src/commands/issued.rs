//! Calls that are signed for before the agent makes them.

use cs_model::event::{Actor as By, EventKind};
use cs_model::json::{self, Limits};
use cs_model::op_token::{DEFAULT_SECS, MOST_SECS, Operation};
use cs_model::{
    ApprovalId, Digest, Grant, Kind, OperationTokenId, Secret, SessionId, TenantId, Timestamp,
    ToolId,
};
use cs_registry::approval::{self, File, NewApproval, Signed};
use cs_registry::{Work as _, credential, session};
use serde::Deserialize;
use ts_rs::TS;

use super::approval::{about, decided, given_reason, signer, view};
use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::explain::{self, Case};
use crate::failure::ControlError;
use crate::names;
use crate::secret_text::{SecretText, ShownOnce};
use crate::signing::{Terms, Wish};
use crate::view::approval::ApprovalIssued;

/// Signs one exact call of a live session before it is made. The operation token that comes of it
/// can be handed to the agent's client, which presents it with the call; the same call without
/// it is made as well, as one that was approved: once, whichever comes first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalIssue {
    /// The tenant.
    pub tenant: TenantId,
    /// The session that may make the call.
    pub session: SessionId,
    /// The tool.
    pub tool: ToolId,
    /// The arguments, as a JSON object.
    pub arguments: String,
    /// How long the token lasts: 1 to 300 seconds. 120 when absent.
    #[serde(default)]
    #[ts(optional, type = "number")]
    pub seconds: Option<u32>,
    /// The operator's passphrase, where the console is not unlocked by them, or the tool asks for
    /// it each time.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<SecretText>,
    /// Why, where the tool asks for a reason or one is given.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

impl Command for ApprovalIssue {
    const NAME: &'static str = "approval_issue";
    const NEEDS: Permission = Permission::Decide;
    type Answer = ApprovalIssued;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ApprovalIssued, ControlError> {
        let core = control.core()?;
        let lasts = lasting(self.seconds)?;
        let canonical = canonical(&self.arguments)?;
        let wish = Wish {
            reason: self.reason.as_deref().map(given_reason).transpose()?,
            presence: self.passphrase.is_some(),
            break_glass: false,
        };
        let signer = signer(control, caller, self.passphrase.as_ref()).await?;
        let vault = core.vault()?;
        let id = ApprovalId::from_random(core.random()?);
        let token = OperationTokenId::from_random(core.random()?);
        let nonce = core.random()?;
        let mut edit = core.edit_as(By::Operator { id: signer.id }, caller.correlation).await?;
        let at = edit.at();
        let request = self.request(&core, &mut edit, (id, canonical, at.after(lasts))).await?;
        // It waits for nobody, and takes nobody's place.
        let file = File { request, most_waiting: u16::MAX, events: Vec::new() };
        let (filed, late) = file.run(edit.db()).await?;
        late.into_iter().for_each(|event| edit.tell(event));
        if let Some(filed) = filed.filter(|it| !it.new) {
            return Err(ControlError::conflict(format!(
                "this very call waits or is approved already, as request {}; decide on that",
                filed.id
            )));
        }
        let found = approval::find(edit.db(), self.tenant, id).await?;
        let terms = Terms::of(&core, &core.document(), &found);
        if terms.rule.approvers() > 1 {
            return Err(ControlError::conflict(
                "calls of this tool take the signatures of several operators; let the agent make \
                 the call, and each of them sign it",
            ));
        }
        wish.check(&terms, &signer)?;
        let mut claims = wish.claims(&core, &found, &terms, signer.id, (token, at));
        claims.exp = at.after(lasts).secs();
        let signed = cs_trust::operation::mint(&claims, &signer.key)
            .map_err(|source| ControlError::internal("sign the call", source))?;
        let sealed = vault
            .seal_token(nonce, self.tenant, id, &signed)
            .map_err(|source| ControlError::internal("seal the signature", source))?;
        let expires = Timestamp::from_secs(claims.exp);
        let Wish { reason, presence, break_glass: breaks_glass } = wish;
        let by = signer.id;
        let kept = Signed { by, at, token, expires, sealed, reason, presence, breaks_glass };
        approval::approve(edit.db(), self.tenant, id, &kept).await?;
        for (kind, token) in
            [(EventKind::ApprovalRequested, None), (EventKind::ApprovalApproved, Some(token))]
        {
            let mut event = about(&edit, kind, &found);
            event.token = token;
            event.reason = Some("ahead".to_owned());
            event.detail.clone_from(&kept.reason);
            edit.tell(event);
        }
        edit.keep().await?;
        decided(&core);
        let approval = view(&core, self.tenant, id, caller.actor).await?;
        let token = ShownOnce::new(Secret::from_text(signed));
        Ok(ApprovalIssued { approval: Box::new(approval), token })
    }
}

impl ApprovalIssue {
    /// The request that the agent's call would have made now.
    async fn request(
        &self,
        core: &Core,
        edit: &mut Edit<'_>,
        (id, canonical, decide_by): (ApprovalId, String, Timestamp),
    ) -> Result<NewApproval, ControlError> {
        let (document, world, now) = (core.document(), explain::world(core), edit.at());
        let doc = names::tenant(&document, self.tenant)?;
        let tool = names::tool(doc, self.tool)?;
        if tool.kind != Kind::Tool {
            return Err(ControlError::conflict("only calls of tools are signed ahead"));
        }
        let open = session::find(edit.db(), self.tenant, self.session).await?;
        let agent = doc.agents.iter().find(|it| it.id == open.new.agent);
        let agent = agent.ok_or(ControlError::NotFound { what: "agent" })?;
        let task = doc.tasks.iter().find(|it| Some(it.id) == open.new.task);
        let task = task.ok_or_else(|| {
            ControlError::conflict("the session has no task, and so nothing that it may call")
        })?;
        let credentials = credential::list(edit.db(), self.tenant).await?;
        let credentials: Vec<_> =
            credentials.into_iter().filter(|it| it.agent == agent.id).collect();
        let told = explain::tell(&Case {
            core,
            world: &world,
            doc,
            agent,
            task: Some(task),
            tool,
            arguments: Some(&canonical),
            session: Some(&open),
            credentials: &credentials,
            live: &[],
            waiting: None,
            now,
        })?;
        let listed = match (told.outcome, told.listed) {
            (Grant::Token, Some(listed)) => listed,
            (Grant::Allow, _) => {
                return Err(ControlError::conflict(
                    "this call needs no signature: the policy allows it",
                ));
            }
            (Grant::Deny | Grant::Token, _) => {
                return Err(ControlError::conflict(format!(
                    "this call could not be made: {}",
                    told.sentence
                )));
            }
        };
        let arguments_digest = Digest::of(canonical.as_bytes());
        let operation = Operation {
            tenant: self.tenant,
            agent: agent.id,
            session: self.session,
            task: Some(task.id),
            target: Some((tool.server, tool.id, tool.fingerprint)),
            arguments: arguments_digest,
        };
        Ok(NewApproval {
            id,
            operation: operation.digest(),
            tenant: self.tenant,
            agent: agent.id,
            credential: open.new.credential,
            session: self.session,
            task: task.id,
            server: tool.server,
            tool: tool.id,
            listed,
            fingerprint: tool.fingerprint,
            arguments: canonical,
            arguments_digest,
            policy_version: world.policy.version(),
            requested: now,
            decide_by,
        })
    }
}

/// How long a token is to last.
fn lasting(seconds: Option<u32>) -> Result<std::time::Duration, ControlError> {
    let seconds = seconds.map_or(DEFAULT_SECS, i64::from);
    match u64::try_from(seconds) {
        Ok(wanted) if (1..=MOST_SECS).contains(&seconds) => {
            Ok(std::time::Duration::from_secs(wanted))
        }
        Ok(_) | Err(_) => Err(ControlError::invalid(
            "seconds",
            format!("an operation token lasts 1 to {MOST_SECS} seconds"),
        )),
    }
}

/// Arguments as they are signed.
fn canonical(arguments: &str) -> Result<String, ControlError> {
    let wrong = |why: String| ControlError::invalid("arguments", why);
    let canonical = json::canonical(arguments, Limits::default());
    let canonical = canonical.map_err(|error| wrong(error.to_string()))?;
    if canonical.starts_with('{') {
        return Ok(canonical);
    }
    Err(wrong("arguments are a JSON object".to_owned()))
}
