//! A token that is believed.

use std::collections::BTreeSet;

use cs_model::identity::TokenAlgorithm;
use cs_model::{Digest, Timestamp};
use serde_json::Value;

use super::claims::{Confirmation, MOST_NAME};
use super::error::TokenError;
use super::unverified::Unverified;
use crate::jws::{self, Object};

/// The type of the authorization details (RFC 9396) that name a task.
pub(crate) const TASK_TYPE: &str = "countersign_task";

/// The claim that names a task where an issuer knows no authorization details.
const TASK_CLAIM: &str = "mcp_task";

/// How many steps into nested claims a path may take.
const MOST_STEPS: usize = 16;

/// An access token that is genuine, for the endpoint that it was presented to, and of this time.
/// Only [`Unverified::verify`] makes one.
#[derive(Clone)]
pub struct AccessToken {
    algorithm: TokenAlgorithm,
    claims: Object,
    client_id: Option<String>,
    confirmation: Confirmation,
    expires: Timestamp,
    id: Option<String>,
    issued: Timestamp,
    issuer: String,
    key_id: Option<String>,
    revocation_id: String,
    scopes: BTreeSet<String>,
    subject: String,
}

impl AccessToken {
    /// Takes over what was checked.
    pub(super) fn of(token: Unverified) -> Result<Self, TokenError> {
        let issued = token.claims.issued()?;
        let id = token.claims.id.clone()?;
        // Over what was signed, not over the signature: of an ECDSA signature anybody can make a
        // second valid one.
        let revocation_id =
            id.clone().unwrap_or_else(|| format!("sha256:{}", Digest::of(token.message())));
        Ok(Self {
            algorithm: token.algorithm(),
            key_id: token.key_id().map(str::to_owned),
            client_id: token.claims.client_id?,
            confirmation: token.claims.confirmation?,
            expires: token.claims.expires?,
            id,
            issued,
            issuer: token.claims.issuer?,
            revocation_id,
            scopes: token.claims.scopes?,
            subject: token.claims.subject?,
            claims: token.claims.all,
        })
    }

    /// Who issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it stands for.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client that it was issued to, where it says so by that name.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// From when on it is worth nothing.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When it was issued.
    pub const fn issued(&self) -> Timestamp {
        self.issued
    }

    /// Its id, where it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it is revoked by: its id, or `sha256:` and the digest of its header and payload.
    /// Different issuers may use the same id: revocations are looked up by issuer and this.
    pub fn revocation_id(&self) -> &str {
        &self.revocation_id
    }

    /// The id of the key that it was signed with, where it names one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithm that it was signed with.
    pub const fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }

    /// What it allows.
    pub const fn scopes(&self) -> &BTreeSet<String> {
        &self.scopes
    }

    /// What it is bound to.
    pub const fn confirmation(&self) -> Confirmation {
        self.confirmation
    }

    /// A claim that is a text or a list of texts: by its name, or by a path whose steps are
    /// separated by dots. Names may contain dots themselves: of all members that the path may
    /// mean, the one with the longest name is meant.
    pub fn claim(&self, path: &str) -> Option<Vec<String>> {
        jws::strings(find(&self.claims, path)?)
    }

    /// The tasks that it names: in its authorization details of type `countersign_task`, or in the
    /// claim `mcp_task`.
    ///
    /// # Errors
    ///
    /// [`TokenError::TaskInvalid`] when either is malformed, or when they disagree.
    pub fn tasks(&self) -> Result<Vec<String>, TokenError> {
        let detailed = detailed_tasks(&self.claims).ok_or(TokenError::TaskInvalid)?;
        let claimed = jws::texts(&self.claims, TASK_CLAIM).map_err(|_| TokenError::TaskInvalid)?;
        let tasks = match (detailed, claimed) {
            (detailed, None) => detailed,
            (detailed, Some(claimed)) if detailed.is_empty() || detailed == claimed => claimed,
            (_, Some(_)) => return Err(TokenError::TaskInvalid),
        };
        let plain = tasks.iter().all(|task| jws::is_plain(task, MOST_NAME));
        if plain { Ok(tasks) } else { Err(TokenError::TaskInvalid) }
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("expires", &self.expires)
            .field("revocation_id", &self.revocation_id)
            .finish_non_exhaustive()
    }
}

fn find<'c>(claims: &'c Object, path: &str) -> Option<&'c Value> {
    let (mut here, mut rest) = (claims, path);
    for _ in 0..MOST_STEPS {
        if let Some(value) = here.get(rest) {
            return Some(value);
        }
        let dots = rest.rmatch_indices('.').map(|(at, _)| at);
        let mut splits = dots.filter_map(|at| {
            let (name, after) = rest.split_at_checked(at)?;
            Some((here.get(name)?, after.strip_prefix('.')?))
        });
        let (value, after) = splits.next()?;
        (here, rest) = (value.as_object()?, after);
    }
    None
}

fn detailed_tasks(claims: &Object) -> Option<Vec<String>> {
    let Some(details) = claims.get("authorization_details") else { return Some(Vec::new()) };
    let mut tasks = Vec::new();
    for detail in details.as_array()? {
        let detail = detail.as_object()?;
        if detail.get("type")?.as_str()? != TASK_TYPE {
            continue;
        }
        // A member that is not known may be a restriction.
        if detail.keys().any(|name| !matches!(name.as_str(), "type" | "task")) {
            return None;
        }
        tasks.push(detail.get("task")?.as_str()?.to_owned());
    }
    Some(tasks)
}
