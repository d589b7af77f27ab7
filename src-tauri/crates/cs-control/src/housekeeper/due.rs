//! What is due about credentials at a moment. Pure: the rows, the tenants' terms and the time go in,
//! what is to be done comes out.

use std::collections::HashMap;
use std::time::Duration;

use cs_model::state::CredentialState;
use cs_model::{CredentialId, Lifecycle, TenantId, Timestamp};
use cs_registry::credential::{Credential, Proof};

use crate::view::outlook::CalendarWhat;

/// Something that is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// The successor was used: the old one goes on until then.
    Overlap {
        /// The old one.
        old: CredentialId,
        /// Its end.
        ends: Timestamp,
    },
    /// It is over, for this reason.
    Retire {
        /// Which.
        id: CredentialId,
        /// Why.
        why: Why,
    },
    /// Another one is to take its place.
    Rotate {
        /// The old one.
        old: CredentialId,
    },
}

/// Why a credential is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// The overlap with its successor has ended.
    Overlap,
    /// The one that it was to take the place of is over, and nobody fetched it.
    Unfetched,
    /// Nobody has used it for long.
    Unused,
}

impl Why {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Overlap => "overlap_ended",
            Self::Unfetched => "successor_not_fetched",
            Self::Unused => "credential_unused",
        }
    }
}

/// What is due of all credentials that were not revoked.
pub(crate) fn all(
    rows: &[Credential],
    terms: impl Fn(TenantId) -> Lifecycle,
    now: Timestamp,
) -> Vec<(TenantId, Due)> {
    let by_id: HashMap<CredentialId, &Credential> = rows.iter().map(|it| (it.id, it)).collect();
    let successors: HashMap<CredentialId, &Credential> =
        rows.iter().filter_map(|it| Some((it.replaces?, it))).collect();
    let standing = rows.iter().filter(|it| it.revoked_at.is_none());
    let due = standing.filter_map(|it| {
        let old = it.replaces.and_then(|old| by_id.get(&old).copied());
        let next = successors.get(&it.id).copied();
        one(it, old, next, terms(it.tenant), now).map(|due| (it.tenant, due))
    });
    due.collect()
}

/// What is due of one credential: the old one that it replaces and the successor that it has are
/// those that were not revoked.
fn one(
    it: &Credential,
    old: Option<&Credential>,
    next: Option<&Credential>,
    terms: Lifecycle,
    now: Timestamp,
) -> Option<Due> {
    let retire = |why| Some(Due::Retire { id: it.id, why });
    if it.waits() {
        let gone = old.is_none_or(|old| now >= old.ends());
        return if gone { retire(Why::Unfetched) } else { None };
    }
    if it.overlap_ends.is_some_and(|ends| now >= ends) {
        return retire(Why::Overlap);
    }
    if it.overlap_ends.is_none()
        && let Some(used) = next.and_then(|next| next.first_used)
    {
        let ends = used.after(secs(u64::from(terms.overlap()))).min(it.expires);
        return Some(Due::Overlap { old: it.id, ends });
    }
    if now >= it.ends() {
        return None;
    }
    if now >= ends_unused(it, terms) {
        return retire(Why::Unused);
    }
    let rotates = matches!(it.proof, Proof::ApiKey)
        && it.state(now) == CredentialState::Active
        && next.is_none()
        && it.overlap_ends.is_none()
        && now >= rotates_at(it, terms);
    rotates.then_some(Due::Rotate { old: it.id })
}

/// When a credential is over unless somebody uses it before.
pub(crate) fn ends_unused(it: &Credential, terms: Lifecycle) -> Timestamp {
    let quiet = it.last_used.or(it.delivered).unwrap_or(it.created);
    quiet.after(secs(u64::from(terms.revoke_unused())))
}

/// When another one is to take the place of a credential.
pub(crate) fn rotates_at(it: &Credential, terms: Lifecycle) -> Timestamp {
    let life = it.expires.since(it.created).as_secs();
    it.created.after(secs(terms.rotate_after(life)))
}

/// The same, where it will be done by itself.
pub(crate) fn rotates(it: &Credential, terms: Lifecycle, now: Timestamp) -> Option<Timestamp> {
    let goes_on = matches!(it.proof, Proof::ApiKey)
        && it.state(now) == CredentialState::Active
        && it.overlap_ends.is_none()
        && !it.waits();
    goes_on.then(|| rotates_at(it, terms))
}

/// What will happen to a credential by itself, as things are now. `old_ends` is the end of the one
/// that it takes the place of, and `is_replaced` says whether another one takes its own.
pub(crate) fn ahead(
    it: &Credential,
    (old_ends, is_replaced): (Option<Timestamp>, bool),
    terms: Lifecycle,
    now: Timestamp,
) -> Vec<(Timestamp, CalendarWhat)> {
    let end = match it.overlap_ends {
        Some(ends) if ends < it.expires => (ends, CalendarWhat::OverlapEnds),
        Some(_) | None => (it.expires, CalendarWhat::Expires),
    };
    let quiet = if it.waits() { old_ends } else { Some(ends_unused(it, terms)) };
    let rotates = rotates(it, terms, now).filter(|_| !is_replaced);
    let all = [
        rotates.map(|at| (at.max(now), CalendarWhat::Rotates)),
        quiet.map(|at| (at, CalendarWhat::EndsUnused)),
        Some(end),
    ];
    // What comes after its end does not happen.
    let mut all: Vec<_> = all.into_iter().flatten().filter(|(at, _)| *at <= end.0).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
