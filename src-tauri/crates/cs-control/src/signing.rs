//! Who may sign a waiting call now, and which of the signatures over it count.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cs_gateway::world::Signer;
use cs_model::document::{AgentDoc, TenantDoc, ToolDoc};
use cs_model::event::EventKind;
use cs_model::op_token::{DEFAULT_SECS, MOST_SECS, OperationClaims};
use cs_model::state::{ApprovalState, OperatorRole};
use cs_model::{
    AgentId, Document, Effects, Name, OperationTokenId, OperatorId, Signatory, Signing, TenantId,
    Timestamp, ToolId, event,
};
use cs_policy::{Ineligible, may_run_in_series, may_sign};
use cs_registry::SqliteConnection;
use cs_registry::approval::{self, Approval, Signature};
use cs_registry::operator_group;

use crate::actor::Actor;
use crate::commands::approval::about;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::names::Names;
use crate::unlock::Unlocked;
use crate::view::signing::{SignatureView, SignerView, SigningView};
use crate::{lifecycle, series};

/// What a call takes to be signed under the policy in force, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The tool's signing rule.
    pub(crate) rule: Signing,
    effects: Effects,
    responsible: Option<OperatorId>,
    operators: Arc<HashMap<OperatorId, Signer>>,
}

impl Terms {
    /// The terms for a call, as they are now.
    pub(crate) fn of(core: &Core, document: &Document, found: &Approval) -> Self {
        Self::of_tool(core, document, found.new.tenant, found.new.tool, found.new.agent)
    }

    /// The terms for calls of a tool by an agent, as they are now.
    pub(crate) fn of_tool(
        core: &Core,
        document: &Document,
        tenant: TenantId,
        tool: ToolId,
        agent: AgentId,
    ) -> Self {
        let doc = document.tenants.iter().find(|it| it.id == tenant);
        let tool = doc.and_then(|doc| doc.tools.iter().find(|it| it.id == tool));
        let agent = doc.and_then(|doc| doc.agents.iter().find(|it| it.id == agent));
        Self {
            rule: tool.map(|it| it.signing.clone()).unwrap_or_default(),
            effects: tool.map(|it| it.effects).unwrap_or_default(),
            responsible: agent.and_then(|it| it.responsible),
            operators: Arc::clone(&core.world.borrow().operators),
        }
    }

    fn signatory(&self, operator: OperatorId) -> Option<&Signatory> {
        self.operators.get(&operator).map(|it| &it.signatory)
    }

    /// The public key that an operator signs with now.
    pub(crate) fn public_key(&self, operator: OperatorId) -> Option<[u8; 32]> {
        self.operators.get(&operator).map(|it| it.public_key)
    }

    /// Why no series can be signed for such calls, for a person.
    pub(crate) fn no_series(&self) -> Option<String> {
        may_run_in_series(self.effects, &self.rule).err().map(series::no_series)
    }

    /// Whether this operator may sign a series for such calls.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn check_series(&self, wish: &Wish, signer: &Unlocked) -> Result<(), ControlError> {
        if let Some(why) = self.no_series() {
            let each = format!("each call of this tool is signed on its own: {why}");
            return Err(ControlError::conflict(each));
        }
        wish.check(self, signer)
    }

    /// Why an operator may not sign, for a person.
    pub(crate) fn objection(&self, operator: OperatorId) -> Option<String> {
        let Some(signatory) = self.signatory(operator) else {
            return Some("this operator was removed".to_owned());
        };
        let ineligible = may_sign(&self.rule, self.responsible, operator, signatory).err()?;
        Some(match ineligible {
            Ineligible::Barred => {
                "whoever answers for the agent may not sign calls of this tool".to_owned()
            }
            Ineligible::Group => match &self.rule.group {
                Some(group) => format!("only operators of group `{group}` sign calls of this tool"),
                None => "only operators of a group sign calls of this tool".to_owned(),
            },
            Ineligible::Role => "only owners and approvers sign calls".to_owned(),
        })
    }

    /// Whether a viewer is shown what the agent sends: of approvers, those who may sign the call.
    pub(crate) fn shows_payloads_to(&self, viewer: Actor) -> bool {
        let is_kept_out = matches!(
            viewer,
            Actor::Operator { id, role: OperatorRole::Approver } if self.objection(id).is_some()
        );
        viewer.sees_payloads() && !is_kept_out
    }

    /// Why a signature does not count, for a person; nothing where it does.
    fn fault(&self, signature: &Signature, now: Timestamp) -> Option<String> {
        if signature.sealed.is_none() {
            return Some("it was taken away, and has to be given again".to_owned());
        }
        if now >= signature.expires {
            return Some("it has ended, and has to be given again".to_owned());
        }
        if self.rule.presence && !signature.presence {
            return Some("it was given without the passphrase".to_owned());
        }
        if self.rule.reason && signature.reason.is_none() {
            return Some("it was given without a reason".to_owned());
        }
        self.objection(signature.by).filter(|_| !signature.breaks_glass)
    }

    /// Whether the operator can sign alone what takes more: an owner, whom nothing but the number
    /// of signatures or the group keeps from it.
    fn may_break_glass(&self, operator: OperatorId) -> bool {
        let Some(signatory) = self.signatory(operator) else { return false };
        let eligible = may_sign(&self.rule, self.responsible, operator, signatory);
        let needs_it = self.rule.approvers() > 1 || eligible == Err(Ineligible::Group);
        signatory.may_break_glass()
            && needs_it
            && matches!(eligible, Ok(()) | Err(Ineligible::Group))
    }
}

/// What an operator brings to sign a call.
#[derive(Debug)]
pub(crate) struct Wish {
    /// Why, where a reason is given.
    pub(crate) reason: Option<String>,
    /// Whether the passphrase came with this very approval.
    pub(crate) presence: bool,
    /// Whether the operator means to sign alone.
    pub(crate) break_glass: bool,
}

impl Wish {
    /// Whether this operator may sign on these terms.
    ///
    /// # Errors
    ///
    /// What is missing, and what to do about it.
    pub(crate) fn check(&self, terms: &Terms, signer: &Unlocked) -> Result<(), ControlError> {
        let rule = &terms.rule;
        if self.break_glass {
            if signer.role != OperatorRole::Owner {
                return Err(ControlError::conflict("only an owner can break the glass"));
            }
            if !terms.may_break_glass(signer.id) {
                return Err(ControlError::conflict(terms.objection(signer.id).unwrap_or_else(
                    || "this call takes no more than your signature; sign it as usual".to_owned(),
                )));
            }
        } else if let Some(objection) = terms.objection(signer.id) {
            return Err(ControlError::conflict(format!("you cannot sign this call: {objection}")));
        }
        if (rule.presence || self.break_glass) && !self.presence {
            let needs = "signing this call takes your passphrase, also while the console is \
                         unlocked";
            return Err(ControlError::invalid("passphrase", needs));
        }
        if (rule.reason || self.break_glass) && self.reason.is_none() {
            return Err(ControlError::invalid("reason", "signing this call takes a reason"));
        }
        Ok(())
    }

    /// What the operator signs.
    pub(crate) fn claims(
        &self,
        core: &Core,
        found: &Approval,
        terms: &Terms,
        signer: OperatorId,
        (token, at): (OperationTokenId, Timestamp),
    ) -> OperationClaims {
        let new = &found.new;
        // Where several sign, the first signature has to stand until the last one has come.
        let alone = terms.rule.approvers() == 1 || self.break_glass;
        let soon = alone && core.waiters.is_held(new.id);
        let (iat, lasts) = (at.secs(), if soon { DEFAULT_SECS } else { MOST_SECS });
        let reason = self.reason.as_deref();
        OperationClaims {
            iss: signer,
            aud: lifecycle::audience(core),
            sub: new.agent,
            tenant: new.tenant,
            sid: new.session,
            task: new.task,
            server: new.server,
            tool: new.tool,
            tool_fpr: new.fingerprint,
            args: new.arguments_digest,
            pv: core.document().version,
            jti: token,
            iat,
            exp: iat.saturating_add(lasts),
            rsn: reason.map(|reason| cs_model::Digest::of(reason.as_bytes())),
            prs: self.presence,
            brk: self.break_glass,
        }
    }
}

/// Takes away the signatures over a request that do not count any more, and says how many others
/// than the signer's do. Whoever breaks the glass may have signed before.
pub(crate) async fn count(
    edit: &mut Edit<'_>,
    found: &Approval,
    terms: &Terms,
    signer: OperatorId,
    wish: &Wish,
) -> Result<u8, ControlError> {
    let (tenant, id, now) = (found.new.tenant, found.new.id, edit.at());
    let mut count: u8 = 0;
    for signature in approval::signatures(edit.db(), tenant, id).await? {
        let own = signature.by == signer;
        let counts = terms.fault(&signature, now).is_none();
        if own && counts && !wish.break_glass {
            return Err(ControlError::conflict(
                "you have signed this call already; it takes another operator",
            ));
        }
        if !own && counts {
            count = count.saturating_add(1);
            continue;
        }
        approval::withdraw_signature(edit.db(), tenant, id, signature.by, now).await?;
        if !own && signature.sealed.is_some() {
            let mut event = about(edit, EventKind::ApprovalSignatureVoid, found);
            event.token = Some(signature.token);
            event.detail = terms.fault(&signature, now);
            edit.tell(event);
        }
    }
    Ok(count)
}

/// What there is to be said of the signatures over a request, to whoever looks.
pub(crate) fn view(
    core: &Core,
    found: &Approval,
    terms: &Terms,
    signatures: &[Signature],
    names: &Names,
    viewer: Actor,
) -> SigningView {
    let now = core.now();
    let open = matches!(found.state, ApprovalState::Pending | ApprovalState::Approved);
    // What is over is shown as it was: the signatures that stood when it was decided.
    let decided = found.decided.as_ref().filter(|it| it.token.is_some()).map(|it| it.at);
    let fault = |it: &Signature| {
        if open {
            return terms.fault(it, now);
        }
        match decided {
            Some(at) if at < it.expires => None,
            Some(_) => Some("it had ended".to_owned()),
            None => Some("the call was not approved".to_owned()),
        }
    };
    let shown = |it: &Signature| SignatureView {
        operator: it.by,
        operator_name: names.operator(it.by),
        at: it.at,
        expires: it.expires,
        reason: it.reason.clone(),
        presence: it.presence,
        breaks_glass: it.breaks_glass,
        fault: fault(it),
    };
    let shown: Vec<SignatureView> = signatures.iter().map(shown).collect();
    let counting = || shown.iter().filter(|it| it.fault.is_none());
    let count = u8::try_from(counting().count()).unwrap_or(u8::MAX);
    let needed = match found.state {
        ApprovalState::Pending => terms.rule.approvers().saturating_sub(count).max(1),
        ApprovalState::Approved
        | ApprovalState::Denied
        | ApprovalState::Executed
        | ApprovalState::Expired
        | ApprovalState::Unknown
        | ApprovalState::Withdrawn => 0,
    };
    let you = match viewer {
        Actor::Operator { id, .. } => {
            let signed = counting().any(|it| it.operator == id);
            let signed = signed.then(|| "you have signed it; it takes another operator".to_owned());
            Some(SignerView {
                objection: terms.objection(id).or(signed),
                may_break_glass: terms.may_break_glass(id),
            })
        }
        Actor::Local { .. } | Actor::Nobody => None,
    };
    SigningView {
        rule: terms.rule.clone(),
        responsible: terms.responsible.map(|id| names.operator(id)),
        no_series: terms.no_series(),
        signed: count,
        needed,
        signatures: shown,
        you,
    }
}

/// Refuses a change that lets calls be signed which could not be before, where nobody but the
/// user of this system asks for it: whatever runs as that user could clear the way for its own
/// calls. Asking for more is anybody's who may edit.
pub(crate) fn check_loosened(
    old: &Document,
    new: &Document,
    actor: &event::Actor,
) -> Result<(), ControlError> {
    match actor {
        event::Actor::Operator { .. } | event::Actor::System => return Ok(()),
        event::Actor::Local { .. } => {}
    }
    for before in &old.tenants {
        let Some(after) = new.tenants.iter().find(|it| it.id == before.id) else { continue };
        if after.lifecycle.is_looser_than(&before.lifecycle) {
            let rule = "letting credentials live longer takes an owner's passphrase";
            return Err(ControlError::invalid("owner", rule));
        }
    }
    if loosened(old, new).is_empty() {
        return Ok(());
    }
    let rule = "asking less of those who sign, or letting sign who may not, takes an owner's \
                passphrase";
    Err(ControlError::invalid("owner", rule))
}

/// For which calls of a tenant less is asked of those who sign from now on.
#[derive(Debug)]
pub(crate) struct Loosened {
    /// For those of these tools.
    pub(crate) tools: BTreeSet<ToolId>,
    /// For those of these agents, as somebody else answers for them.
    pub(crate) agents: BTreeSet<AgentId>,
}

impl Loosened {
    /// For which these are, for a person.
    pub(crate) fn in_words(&self, doc: &TenantDoc) -> String {
        let tools = doc.tools.iter().filter(|it| self.tools.contains(&it.id));
        let agents = doc.agents.iter().filter(|it| self.agents.contains(&it.id));
        let tools: Vec<String> = tools.map(|it| format!("`{}`", it.name)).collect();
        let agents: Vec<String> = agents.map(|it| format!("`{}`", it.name)).collect();
        let of = |what: &str, names: Vec<String>| match names.as_slice() {
            [] => None,
            names => Some(format!("calls {what} {}", names.join(", "))),
        };
        let all: Vec<String> = of("of", tools).into_iter().chain(of("by", agents)).collect();
        format!("asks less of those who sign {}", all.join(", and "))
    }
}

/// Where less is asked of those who sign than before, tenant by tenant.
pub(crate) fn loosened<'n>(old: &Document, new: &'n Document) -> Vec<(&'n TenantDoc, Loosened)> {
    let mut all = Vec::new();
    for before in &old.tenants {
        let Some(after) = new.tenants.iter().find(|it| it.id == before.id) else { continue };
        let were: HashMap<ToolId, &ToolDoc> = before.tools.iter().map(|it| (it.id, it)).collect();
        let is_weaker = |it: &&ToolDoc| {
            were.get(&it.id).is_some_and(|was| {
                it.signing.is_weaker_than(&was.signing) || it.effects.lacks_any_of(was.effects)
            })
        };
        let answered: HashMap<AgentId, OperatorId> =
            before.agents.iter().filter_map(|it| Some((it.id, it.responsible?))).collect();
        let is_another =
            |it: &&AgentDoc| answered.get(&it.id).is_some_and(|was| it.responsible != Some(*was));
        let loosened = Loosened {
            tools: after.tools.iter().filter(is_weaker).map(|it| it.id).collect(),
            agents: after.agents.iter().filter(is_another).map(|it| it.id).collect(),
        };
        if !loosened.tools.is_empty() || !loosened.agents.is_empty() {
            all.push((after, loosened));
        }
    }
    all
}

/// Whether there is such an operator group, where one is asked for.
///
/// # Errors
///
/// That there is none, with the groups that there are.
pub(crate) async fn check_group(
    db: &mut SqliteConnection,
    group: Option<&Name>,
) -> Result<(), String> {
    let Some(group) = group else { return Ok(()) };
    let all = operator_group::list(db).await.map_err(|error| error.to_string())?;
    if all.iter().any(|it| it.name == *group) {
        return Ok(());
    }
    let known: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
    Err(match known.as_slice() {
        [] => format!("there is no operator group `{group}`, nor any other; make it first"),
        known => format!("there is no operator group `{group}`; there are {}", known.join(", ")),
    })
}
