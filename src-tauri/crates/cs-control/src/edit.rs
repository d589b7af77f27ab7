//! One change by an operator: rows, audit events and policy version in one transaction, then
//! enforced.
//!
//! ```text
//! let mut edit = core.edit(caller).await?;      // nobody else changes anything meanwhile
//! role::create(edit.db(), &role).await?;        // rows
//! edit.enforce("created role `night`").await?   // events, version, commit, gateway, screens
//! ```
//!
//! Dropped before that, the change was never made.

mod taken_back;

use std::sync::Arc;

use cs_gateway::world::{
    ClientProof, Credentials, Holder, OutsideName, Providers, Recognised, Revocations, Signer,
    World,
};
use cs_model::event::{Actor, Event, EventKind};
use cs_model::{CorrelationId, Document, Signatory, TenantId, Timestamp};
use cs_policy::{Snapshot, diff};
use cs_registry::credential::{self as kept, ClientMethod, Credential, Proof};
use cs_registry::{
    Change, SqliteConnection, credential, document, operator, operator_group, policy, revocation,
    server,
};
use tokio::sync::OwnedMutexGuard;

use crate::actor::Caller;
use crate::change::Topic;
use crate::core::Core;
use crate::failure::ControlError;
use crate::issuer;
use crate::looks;
use crate::signing;
use crate::view::matrix::Enforced;

/// A change in the making.
#[derive(Debug)]
#[must_use = "a change that is not enforced or recorded is not made"]
pub(crate) struct Edit<'c> {
    core: &'c Core,
    change: Change,
    actor: Actor,
    correlation: CorrelationId,
    at: Timestamp,
    events: Vec<Event>,
    /// Whether something that waited was taken back with it.
    took_back: bool,
    _alone: OwnedMutexGuard<()>,
}

impl Core {
    /// Begins a change.
    pub(crate) async fn edit(&self, caller: &Caller) -> Result<Edit<'_>, ControlError> {
        self.edit_as(caller.actor.on_record(), caller.correlation).await
    }

    /// Begins a change in somebody's name.
    pub(crate) async fn edit_as(
        &self,
        actor: Actor,
        correlation: CorrelationId,
    ) -> Result<Edit<'_>, ControlError> {
        self.anchorage.check()?;
        self.begin_edit(actor, correlation).await
    }

    /// Begins the change that accepts a registry which is not what it was.
    pub(crate) async fn edit_in_doubt(&self, caller: &Caller) -> Result<Edit<'_>, ControlError> {
        self.begin_edit(caller.actor.on_record(), caller.correlation).await
    }

    async fn begin_edit(
        &self,
        actor: Actor,
        correlation: CorrelationId,
    ) -> Result<Edit<'_>, ControlError> {
        let alone = Arc::clone(&self.editing).lock_owned().await;
        self.begin_alone(alone, actor, correlation).await
    }

    /// Holds off whoever would change anything, and nobody else: a change keeps all others who
    /// write waiting, so what takes its time, such as the secret store, comes before it.
    pub(crate) async fn hold(&self) -> Result<OwnedMutexGuard<()>, ControlError> {
        self.anchorage.check()?;
        Ok(Arc::clone(&self.editing).lock_owned().await)
    }

    /// Begins a change for a caller who [holds](Self::hold) off all others already.
    pub(crate) async fn edit_alone(
        &self,
        alone: OwnedMutexGuard<()>,
        caller: &Caller,
    ) -> Result<Edit<'_>, ControlError> {
        self.edit_alone_as(alone, caller.actor.on_record(), caller.correlation).await
    }

    /// The same, in somebody's name.
    pub(crate) async fn edit_alone_as(
        &self,
        alone: OwnedMutexGuard<()>,
        actor: Actor,
        correlation: CorrelationId,
    ) -> Result<Edit<'_>, ControlError> {
        self.begin_alone(alone, actor, correlation).await
    }

    async fn begin_alone(
        &self,
        alone: OwnedMutexGuard<()>,
        actor: Actor,
        correlation: CorrelationId,
    ) -> Result<Edit<'_>, ControlError> {
        let change = self.registry.begin().await?;
        let at = self.now();
        Ok(Edit {
            core: self,
            change,
            actor,
            correlation,
            at,
            events: Vec::new(),
            took_back: false,
            _alone: alone,
        })
    }

    /// Reads what is to be enforced and puts it in force: for the start of the process.
    pub(crate) async fn load_world(&self) -> Result<(), ControlError> {
        let _alone = self.editing.lock().await;
        let mut db = self.registry.read().await?;
        let document = document::load(&mut db).await?;
        let world = world(&mut db, &document, self.now()).await?;
        self.enforce(document, world);
        Ok(())
    }
}

impl Edit<'_> {
    /// What the rows are written with.
    pub(crate) fn db(&mut self) -> &mut SqliteConnection {
        &mut self.change
    }

    /// When it is made.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// An event in the name of whoever makes the change. It still has to be [`Edit::tell`]d.
    pub(crate) fn event(&self, kind: EventKind, tenant: Option<TenantId>) -> Event {
        Event {
            tenant,
            actor: Some(self.actor.clone()),
            correlation: Some(self.correlation),
            policy_version: Some(self.core.document().version),
            ..Event::new(kind, self.at)
        }
    }

    /// Records an event together with the change.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// What a person is told of a change. It still has to be [`Edit::tell`]d.
    pub(crate) fn admin(&self, tenant: TenantId, what: impl Into<String>) -> Event {
        let mut event = self.event(EventKind::AdminChanged, Some(tenant));
        event.detail = Some(what.into());
        event
    }

    /// Records what was changed, in one neutral sentence, where the policy does not say it.
    pub(crate) fn say(&mut self, tenant: Option<TenantId>, what: impl Into<String>) {
        let mut event = self.event(EventKind::AdminChanged, tenant);
        event.detail = Some(what.into());
        self.events.push(event);
    }

    /// Makes the change as a new policy version, and has it enforced. A change that changes
    /// nothing makes no version.
    pub(crate) async fn enforce(mut self, summary: &str) -> Result<Enforced, ControlError> {
        let core = self.core;
        let old = core.document();
        let mut new = document::load(&mut self.change).await?;
        let changes = diff(&old, &new);
        looks::check(&old, &new)?;
        signing::check_loosened(&old, &new, &self.actor)?;
        if changes.is_empty() && self.events.is_empty() {
            return Ok(Enforced { policy_version: old.version, enforced_at: self.at });
        }
        new.version = old.version.saturating_add(1);
        for change in &changes {
            self.say(Some(change.tenant), change.to_string());
        }
        self.take_back(&old, &new).await?;
        for event in &mut self.events {
            event.policy_version = Some(new.version);
        }
        let world = world(&mut self.change, &new, self.at).await?;
        let version = policy::Version {
            number: new.version,
            summary: summary.to_owned(),
            actor: self.actor.clone(),
            created: self.at,
        };
        policy::append(&mut self.change, &version, &new).await?;
        let mut enforced = self.event(EventKind::PolicyEnforced, None);
        enforced.policy_version = Some(new.version);
        enforced.detail = Some(summary.to_owned());
        self.events.push(enforced);
        self.change.commit(&self.events).await?;
        core.anchorage.moved();
        let policy_version = new.version;
        core.enforce(new, world);
        for topic in [Topic::Policy, Topic::Registry, Topic::Audit, Topic::Status] {
            core.bell.ring(topic);
        }
        tell_waiting(core, self.took_back);
        Ok(Enforced { policy_version, enforced_at: core.now() })
    }

    /// What enforcing it will change, one sentence each.
    pub(crate) async fn changes(&mut self) -> Result<Vec<String>, ControlError> {
        let new = document::load(&mut self.change).await?;
        looks::check(&self.core.document(), &new)?;
        let said = self.events.iter().filter_map(|event| event.detail.clone());
        let changed = diff(&self.core.document(), &new).into_iter().map(|it| it.to_string());
        let mut changes: Vec<String> = said.chain(changed).collect();
        // New things have random ids; the same file reads the same each time.
        changes.sort();
        Ok(changes)
    }

    /// Makes a change that the policy has no part in, such as one of a credential, and has it
    /// enforced.
    pub(crate) async fn record(mut self) -> Result<(), ControlError> {
        let core = self.core;
        let document = document::load(&mut self.change).await?;
        let world = world(&mut self.change, &document, self.at).await?;
        self.change.commit(&self.events).await?;
        core.anchorage.moved();
        core.enforce(document, world);
        core.handshakes.catch_up().await;
        for topic in [Topic::Registry, Topic::Audit, Topic::Status] {
            core.bell.ring(topic);
        }
        tell_waiting(core, self.took_back);
        Ok(())
    }
}

/// Has those who wait for a person look again, where something was taken back.
fn tell_waiting(core: &Core, took_back: bool) {
    if took_back {
        core.waiters.look_again();
        core.bell.ring(Topic::Approvals);
    }
}

impl Edit<'_> {
    /// Makes a change that alters nothing that requests are judged by.
    pub(crate) async fn keep(self) -> Result<(), ControlError> {
        let Self { core, change, events, .. } = self;
        change.commit(&events).await?;
        core.anchorage.moved();
        core.bell.ring(Topic::Audit);
        Ok(())
    }
}

/// What requests are judged by, as the registry has it.
async fn world(
    db: &mut SqliteConnection,
    document: &Document,
    now: Timestamp,
) -> Result<World, ControlError> {
    let policy = Snapshot::compile(document)
        .map_err(|source| ControlError::internal("make sense of the policy", source))?;
    let mut credentials = Credentials::default();
    for found in credential::all(db).await? {
        let (holder, by) = recognised(found, now)?;
        credentials.insert(holder, by);
    }
    let mut revocations = Revocations::default();
    for found in revocation::all(db, now).await? {
        revocations.insert(found.tenant, found.what);
    }
    let servers = server::all(db).await?.into_iter();
    let upstreams = servers.map(|it| ((it.tenant, it.id), it.transport)).collect();
    let operators = operator::list(db).await?.into_iter().filter(|it| it.removed.is_none());
    let mut groups = operator_group::memberships(db).await?;
    let operators = operators.map(|it| {
        let groups = groups.remove(&it.id).unwrap_or_default();
        let signatory = Signatory { role: it.role, groups };
        (it.id, Signer { public_key: it.public_key, signatory })
    });
    let operators = operators.collect();
    Ok(World {
        policy: Arc::new(policy),
        credentials: Arc::new(credentials),
        providers: Arc::new(Providers::of(document)),
        issuers: Arc::new(issuer::own(db, document).await?),
        revocations: Arc::new(revocations),
        upstreams: Arc::new(upstreams),
        operators: Arc::new(operators),
    })
}

/// A credential, as the gateway recognises it.
fn recognised(found: Credential, now: Timestamp) -> Result<(Holder, Recognised), ControlError> {
    let networks = found.networks.iter().map(|it| it.parse());
    let networks = networks.collect::<Result<_, _>>().map_err(|source| {
        ControlError::internal("make sense of a credential's networks", source)
    })?;
    let holder = Holder {
        credential: found.id,
        tenant: found.tenant,
        agent: found.agent,
        state: found.state(now),
        expires: found.ends(),
        networks,
        tasks: found.tasks,
    };
    let by = match found.proof {
        Proof::ApiKey => Recognised::ApiKey { key_id: found.key_id },
        Proof::Certificate { fingerprint, .. } => Recognised::Certificate { fingerprint },
        Proof::OutsideCertificate { authority, named } => Recognised::OutsideCertificate {
            authority,
            named: match named {
                kept::OutsideName::Fingerprint(it) => OutsideName::Fingerprint(it),
                kept::OutsideName::Spiffe(it) => OutsideName::Spiffe(it),
            },
        },
        Proof::Client { method } => Recognised::Client {
            client_id: found.key_id,
            proof: match method {
                ClientMethod::Assertion { jwks } => ClientProof::Assertion { jwks },
                ClientMethod::Certificate { spiffe } => ClientProof::Certificate { spiffe },
                ClientMethod::Secret { digest } => ClientProof::Secret { digest },
            },
        },
        Proof::External { provider, subject } => Recognised::Subject { provider, subject },
    };
    Ok((holder, by))
}
