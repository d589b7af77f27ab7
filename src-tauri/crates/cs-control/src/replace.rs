//! Putting a credential in the place of another one.

use cs_model::document::TenantDoc;
use cs_model::event::{Event, EventKind};
use cs_model::state::SessionEnd;
use cs_model::{CredentialId, Secret, Timestamp};
use cs_registry::credential::{self, Credential, NewCredential, Proof};
use cs_registry::{rotation, session};
use cs_trust::ApiKeyPair;
use std::time::Duration;

use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::withdraw::noun;

/// A successor that does not exist yet.
#[derive(Debug)]
pub(crate) struct Made {
    /// What it will be.
    pub(crate) new: NewCredential,
    /// Its secret.
    pub(crate) secret: Secret,
}

/// Makes the successor of an API key: of the same agent, bound to the same, living as long, and no
/// longer than the tenant's credentials do. Nothing of it is anywhere yet.
pub(crate) fn prepare(
    core: &Core,
    doc: &TenantDoc,
    old: &Credential,
    now: Timestamp,
) -> Result<Made, ControlError> {
    let vault = core.vault()?;
    let id = CredentialId::from_random(core.random()?);
    let pair = ApiKeyPair::from_random(core.random()?, core.random()?);
    let sealed_secret = vault
        .seal_api_key(core.random()?, old.tenant, id, &pair.secret)
        .map_err(|source| ControlError::internal("seal the key", source))?;
    let longest = Duration::from_secs(u64::from(doc.lifecycle.longest()));
    let life = old.expires.since(old.created).min(longest);
    let new = NewCredential {
        id,
        tenant: old.tenant,
        agent: old.agent,
        proof: Proof::ApiKey,
        key_id: pair.key_id,
        sealed_secret: Some(sealed_secret),
        networks: old.networks.clone(),
        tasks: old.tasks.clone(),
        created: now,
        expires: now.after(life),
    };
    Ok(Made { new, secret: pair.secret })
}

/// Has a successor take its place beside the old one. Whatever the old one was to replace is over
/// with that: there are never more than two.
pub(crate) async fn begin(
    edit: &mut Edit<'_>,
    old: &Credential,
    made: &Made,
    why: &str,
) -> Result<Option<Over>, ControlError> {
    let mut over = None;
    if let Some(before) = old.replaces {
        let before = credential::find(edit.db(), old.tenant, before).await?;
        if before.revoked_at.is_none() {
            over = retire(edit, &before, "replaced_again").await?;
        }
    }
    rotation::add(edit.db(), &made.new, old.id).await?;
    let mut event = about(edit, EventKind::CredentialRotated, old, why);
    event.detail = Some(format!(
        "API key `{}` is to be replaced by `{}`, which waits for its holder",
        old.key_id, made.new.key_id
    ));
    edit.tell(event);
    Ok(over)
}

/// Has the old one end when the overlap is over.
pub(crate) async fn overlap(
    edit: &mut Edit<'_>,
    old: &Credential,
    ends: Timestamp,
) -> Result<(), ControlError> {
    if rotation::begin_overlap(edit.db(), old.tenant, old.id, ends).await? {
        let mut event = about(edit, EventKind::CredentialOverlap, old, "successor_used");
        event.detail =
            Some(format!("API key `{}` goes on beside its successor until {ends}", old.key_id));
        edit.tell(event);
    }
    Ok(())
}

/// Ends a credential for good, and its sessions.
pub(crate) async fn retire(
    edit: &mut Edit<'_>,
    found: &Credential,
    why: &str,
) -> Result<Option<Over>, ControlError> {
    let (tenant, id, at) = (found.tenant, found.id, edit.at());
    credential::revoke(edit.db(), tenant, id, at).await?;
    let mut event = about(edit, EventKind::CredentialRetired, found, why);
    event.detail = Some(format!("{} `{}`", noun(found.proof.kind()), found.key_id));
    edit.tell(event);
    let end = SessionEnd::Credential;
    let ended = session::end_of_credential(edit.db(), tenant, id, end, at).await?;
    if ended.is_empty() {
        return Ok(None);
    }
    Over::of(edit, tenant, ended, end).await.map(Some)
}

/// Puts on record that a successor could not be made. The old one goes on.
pub(crate) fn tell_failure(edit: &mut Edit<'_>, old: &Credential, error: &ControlError) {
    tracing::error!(%error, credential = %old.id, "a credential was not replaced");
    let mut event = about(edit, EventKind::RotationFailed, old, "rotation_failed");
    event.detail = Some(format!("API key `{}`: {error}", old.key_id));
    edit.tell(event);
}

fn about(edit: &Edit<'_>, kind: EventKind, found: &Credential, why: &str) -> Event {
    let mut event = edit.event(kind, Some(found.tenant));
    (event.agent, event.credential) = (Some(found.agent), Some(found.id));
    event.reason = Some(why.to_owned());
    event
}
