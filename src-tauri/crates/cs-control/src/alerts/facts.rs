//! What the rules need to know besides an event: names, and what the registry has of its session.

use cs_audit::alert::{Engine, Facts};
use cs_model::event::{Event, EventKind};
use cs_model::{AgentId, Document, TenantId};
use cs_registry::{SqliteConnection, alert, audit};
use cs_trust::spiffe::SpiffeId;

use crate::core::Core;
use crate::failure::ControlError;

/// The facts that go with an event. Most events need none.
pub(super) async fn of(
    core: &Core,
    db: &mut SqliteConnection,
    engine: &Engine,
    seq: u64,
    event: &Event,
) -> Result<Facts, ControlError> {
    let mut facts = Facts::default();
    let Some(tenant) = event.tenant else { return Ok(facts) };
    if event.kind == EventKind::AuthnFailed {
        let claimed = event.claimed.as_deref().and_then(|it| claimed_agent(core, tenant, it));
        facts.agent = claimed.map(|agent| named(&core.document(), tenant, agent));
    }
    let strays = cs_audit::alert::is_anomaly(event);
    if strays || event.kind == EventKind::ToolDrift {
        facts.agent = event.agent.map(|agent| named(&core.document(), tenant, agent));
    }
    if let Some(session) = event.session {
        if engine.wants_strays(event) {
            facts.strays_before = audit::strays_before(db, tenant, session, seq).await?;
        } else if event.kind == EventKind::SessionEnded {
            facts.lasted = alert::ended(db, tenant, session).await?;
        }
    }
    Ok(facts)
}

fn named(document: &Document, tenant: TenantId, agent: AgentId) -> (AgentId, String) {
    let tenant = document.tenants.iter().find(|it| it.id == tenant);
    let known = tenant.and_then(|it| it.agents.iter().find(|it| it.id == agent));
    (agent, known.map_or_else(|| agent.to_string(), |it| it.name.to_string()))
}

/// The agent that a refused caller said it was, where the tenant has one that comes like this. It
/// proves nothing: it only tells which failures belong together.
fn claimed_agent(core: &Core, tenant: TenantId, claimed: &str) -> Option<AgentId> {
    let world = core.world.borrow().clone();
    let by_key = || world.credentials.key(claimed);
    let by_token = || {
        // As the gateway writes it: `subject of issuer`.
        let (subject, issuer) = claimed.rsplit_once(" of ")?;
        let provider = world.providers.get(tenant, issuer)?;
        world.credentials.subject(provider.id, subject)
    };
    let holder = by_key().or_else(by_token).filter(|it| it.tenant == tenant);
    if let Some(holder) = holder {
        return Some(holder.agent);
    }
    let name = claimed.parse::<SpiffeId>().ok()?;
    let document = core.document();
    let own = document.tenants.iter().find(|it| it.id == tenant)?;
    let own = own.agents.iter().filter(|_| own.name == name.tenant);
    own.into_iter().find(|it| it.name == name.agent).map(|it| it.id)
}
