//! The audit log.

use cs_audit::Verifier;
use cs_model::Digest;
use cs_model::event::EventKind;
use cs_registry::audit;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::names::Names;
use crate::view::audit::{AuditDetail, AuditFilter, AuditPage, AuditRow, ChainView, SealedEvent};
use crate::{alerts, show};

/// How many events one page has at most.
const MOST_ROWS: u32 = 1000;

/// How many events are verified at a time.
const PIECE: u32 = 2000;

/// How many events belong together at most.
const THREAD: u32 = 200;

/// A page of the log, newest first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditPageOf {
    /// Which events to show.
    pub filter: AuditFilter,
    /// Only events before this one.
    #[serde(default)]
    #[ts(optional)]
    pub before: Option<u64>,
    /// How many at most.
    pub limit: u32,
}

impl Command for AuditPageOf {
    const NAME: &'static str = "audit_page";
    const NEEDS: Permission = Permission::Look;
    type Answer = AuditPage;

    async fn run(self, control: &Control, _: &Caller) -> Result<AuditPage, ControlError> {
        if !(1..=MOST_ROWS).contains(&self.limit) {
            let rule = format!("a page has 1 to {MOST_ROWS} events");
            return Err(ControlError::invalid("limit", rule));
        }
        let core = control.core()?;
        let filter = narrow(self.filter)?;
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &core.document()).await?;
        let one_more = self.limit.saturating_add(1);
        let mut found = audit::page(&mut db, &filter, self.before, one_more).await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let total = audit::count(&mut db, &filter).await?;
        let rows: Vec<AuditRow> =
            found.iter().map(|entry| show::audit(entry, &names)).collect::<Result<_, _>>()?;
        let older = rows.last().filter(|_| more).map(|row| row.seq);
        Ok(AuditPage { rows, older, total })
    }
}

fn narrow(filter: AuditFilter) -> Result<audit::Filter, ControlError> {
    let kind = |word: &String| {
        let found = EventKind::ALL.iter().find(|kind| kind.as_str() == word);
        found.copied().ok_or_else(|| {
            let what = cs_model::text::neutralise(word, 60);
            ControlError::invalid("kinds", format!("there is no kind of event `{what}`"))
        })
    };
    let correlation = filter.correlation.as_deref().map(str::trim).filter(|it| !it.is_empty());
    let correlation = correlation.map(str::parse).transpose();
    Ok(audit::Filter {
        tenant: filter.tenant,
        kinds: filter.kinds.iter().flatten().map(kind).collect::<Result<_, _>>()?,
        agent: filter.agent,
        session: filter.session,
        tool: filter.tool,
        decision: filter.decision,
        correlation: correlation.map_err(|error: cs_model::id::IdError| {
            ControlError::invalid("correlation", error.to_string())
        })?,
        text: filter.text.filter(|text| !text.trim().is_empty()),
        from: filter.from,
        to: filter.to,
    })
}

/// An event with what belongs to it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditShow {
    /// Its place in the chain.
    pub seq: u64,
}

impl Command for AuditShow {
    const NAME: &'static str = "audit_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = AuditDetail;

    async fn run(self, control: &Control, _: &Caller) -> Result<AuditDetail, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &core.document()).await?;
        let entry = audit::find(&mut db, self.seq).await?;
        let event = entry
            .event()
            .map_err(|source| ControlError::internal("read an audit event", source))?;
        let thread = audit::thread(&mut db, &event, THREAD).await?;
        let thread = thread.iter().map(|entry| show::audit(entry, &names));
        Ok(AuditDetail {
            row: show::audit(&entry, &names)?,
            thread: thread.collect::<Result<_, _>>()?,
            previous_hash: entry.previous,
            event: entry.body,
        })
    }
}

/// The log itself, oldest first, piece by piece: what proves elsewhere that it is whole.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditExport {
    /// Only events after this one; zero begins at the beginning.
    pub after: u64,
    /// How many at most.
    pub limit: u32,
}

impl Command for AuditExport {
    const NAME: &'static str = "audit_export";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<SealedEvent>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<SealedEvent>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let piece = audit::entries_after(&mut db, self.after, self.limit.min(MOST_ROWS)).await?;
        let sealed = piece.into_iter().map(|it| SealedEvent {
            seq: it.seq,
            previous: it.previous,
            hash: it.hash,
            body: it.body,
        });
        Ok(sealed.collect())
    }
}

/// Checks every seal of the log.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditVerify {}

impl Command for AuditVerify {
    const NAME: &'static str = "audit_verify";
    const NEEDS: Permission = Permission::Look;
    type Answer = ChainView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ChainView, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let events = audit::head(&mut db).await?.map_or(0, |head| head.seq);
        let mut verifier = Verifier::new();
        let mut problem = None;
        let mut after = 0;
        'log: loop {
            let piece = audit::entries_after(&mut db, after, PIECE).await?;
            let Some(last) = piece.last() else { break };
            after = last.seq;
            for entry in &piece {
                if let Err(broken) = verifier.push(entry) {
                    problem = Some(broken.to_string());
                    break 'log;
                }
            }
        }
        drop(db);
        if let Some(problem) = &problem {
            let what = format!("The audit log is broken: {problem}");
            alerts::integrity_failed(&core, Some(caller.correlation), what).await?;
        }
        let head = verifier.head();
        let verified_to = head.map_or(0, |head| head.seq);
        Ok(ChainView {
            events,
            verified_to,
            whole: problem.is_none() && verified_to == events,
            problem,
            head: head.map_or(Digest::from_bytes([0; 32]), |head| head.hash),
        })
    }
}
