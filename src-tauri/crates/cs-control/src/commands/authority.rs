//! Whose certificates a tenant believes.

use std::time::Duration;

use cs_model::document::TenantDoc;
use cs_model::state::SessionEnd;
use cs_model::{AuthorityId, Name, TenantId};
use cs_registry::credential::{self, Credential, Proof};
use cs_registry::outside::{self as others, OutsideAuthority};
use cs_registry::{SqliteConnection, authority as table, session};
use cs_trust::spiffe::WorkloadPrefix;
use cs_trust::tls::lists_in_pem;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::certificate::MOST_SECS;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::view::certificate::{AuthorityView, FormerAuthority, OutsideAuthorityView};
use crate::{authority, names, outside, show};

/// The most authorities of others that one tenant believes.
const MOST: usize = 16;

/// Whose certificates a tenant believes.
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
        view(&*control.core()?, self.tenant).await
    }
}

/// Has another authority issue a tenant's certificates from now on. Those of the one before are
/// believed until they end.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthorityRotate {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for AuthorityRotate {
    const NAME: &'static str = "authority_rotate";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AuthorityView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AuthorityView, ControlError> {
        let core = control.core()?;
        core.vault()?;
        let alone = core.hold().await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let successor = authority::successor(&core, doc).await?;
        let mut edit = core.edit_alone(alone, caller).await?;
        let longest = Duration::from_secs(MOST_SECS);
        authority::rotate(&mut edit, doc, (successor, longest)).await?;
        edit.record().await?;
        view(&core, self.tenant).await
    }
}

/// Believes the certificates of an authority of others, as far as they were registered.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthorityAdd {
    /// The tenant.
    pub tenant: TenantId,
    /// What it is called here.
    pub name: String,
    /// Its certificates: roots, and authorities below them (PEM).
    pub pem: String,
    /// Its revocation lists: PEM, or one list (DER) in base64. Without any, it opens nothing yet.
    #[serde(default)]
    #[ts(optional)]
    pub crl: Option<String>,
    /// The beginning of each SPIFFE id that it may speak for, such as `spiffe://example.org/ns/prod/`.
    pub prefix: String,
}

impl Command for AuthorityAdd {
    const NAME: &'static str = "authority_add";
    const NEEDS: Permission = Permission::Edit;
    type Answer = OutsideAuthorityView;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<OutsideAuthorityView, ControlError> {
        let name = Name::parse(&self.name);
        let name = name.map_err(|error| ControlError::invalid("name", error.to_string()))?;
        let lists = self.crl.as_deref().map_or(Ok(String::new()), pem)?;
        let core = control.core()?;
        let id = AuthorityId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        names::tenant(&core.document(), self.tenant)?;
        let at = edit.at();
        let new = OutsideAuthority {
            id,
            tenant: self.tenant,
            name: name.to_string(),
            certificates: self.pem,
            prefix: self.prefix,
            listed: (!lists.is_empty()).then_some(at),
            lists,
            created: at,
        };
        judge(&core, edit.db(), &new).await?;
        others::create(edit.db(), &new).await?;
        let what = format!("believes the authority `{name}` for `{}`", new.prefix);
        edit.say(Some(self.tenant), what);
        edit.record().await?;
        one(&core, self.tenant, id).await
    }
}

/// Replaces the revocation lists of an authority of others, from the next handshake and request on.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthorityListUpdate {
    /// The tenant.
    pub tenant: TenantId,
    /// The authority.
    pub authority: AuthorityId,
    /// All its lists: PEM, or one list (DER) in base64.
    pub crl: String,
}

impl Command for AuthorityListUpdate {
    const NAME: &'static str = "authority_list_update";
    const NEEDS: Permission = Permission::Edit;
    type Answer = OutsideAuthorityView;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<OutsideAuthorityView, ControlError> {
        let lists = pem(&self.crl)?;
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let before = others::find(edit.db(), self.tenant, self.authority).await?;
        let next = OutsideAuthority { lists, ..before.clone() };
        let read = outside::read(&next).map_err(outside::refused)?;
        if let Ok(old) = outside::read(&before) {
            read.follows(&old).map_err(outside::refused)?;
        }
        let at = edit.at();
        others::relist(edit.db(), self.tenant, self.authority, &next.lists, at).await?;
        let revoked = read.lists().map(|it| it.revoked).fold(0, usize::saturating_add);
        let what = match revoked {
            1 => format!("took new revocation lists of `{}`, with 1 certificate", before.name),
            more => {
                format!("took new revocation lists of `{}`, with {more} certificates", before.name)
            }
        };
        edit.say(Some(self.tenant), what);
        edit.record().await?;
        one(&core, self.tenant, self.authority).await
    }
}

/// Believes an authority of others no more. What was registered of it is revoked, and its sessions
/// end.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthorityRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The authority.
    pub authority: AuthorityId,
}

impl Command for AuthorityRemove {
    const NAME: &'static str = "authority_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = others::find(edit.db(), self.tenant, self.authority).await?;
        let all = credential::list(edit.db(), self.tenant).await?;
        let mut over = Vec::new();
        for own in all.iter().filter(|it| is_of(it, found.id) && it.revoked_at.is_none()) {
            over.push(revoke(&mut edit, own).await?);
        }
        others::remove(edit.db(), self.tenant, found.id).await?;
        edit.say(Some(self.tenant), format!("believes the authority `{}` no more", found.name));
        edit.record().await?;
        for over in over {
            over.take_effect(&core).await;
        }
        Ok(())
    }
}

async fn revoke(edit: &mut Edit<'_>, own: &Credential) -> Result<Over, ControlError> {
    let (at, why) = (edit.at(), SessionEnd::Credential);
    credential::revoke(edit.db(), own.tenant, own.id, at).await?;
    let mut event = edit.admin(own.tenant, format!("revoked the certificate `{}`", own.key_id));
    (event.agent, event.credential) = (Some(own.agent), Some(own.id));
    edit.tell(event);
    let ended = session::end_of_credential(edit.db(), own.tenant, own.id, why, at).await?;
    Over::of(edit, own.tenant, ended, why).await
}

/// Says what is wrong with an authority that is to be believed.
async fn judge(
    core: &Core,
    db: &mut SqliteConnection,
    new: &OutsideAuthority,
) -> Result<(), ControlError> {
    let prefix = WorkloadPrefix::parse(&new.prefix).map_err(|error| {
        let rule = format!(
            "{error}; a prefix ends with `/`, such as `spiffe://example.org/` or \
             `spiffe://example.org/ns/prod/`"
        );
        ControlError::invalid("prefix", rule)
    })?;
    let own = format!("spiffe://{}/", authority::trust_domain(core)?);
    if WorkloadPrefix::parse(&own).is_ok_and(|own| own.overlaps(&prefix)) {
        let rule = "nobody else speaks for this installation's own agents";
        return Err(ControlError::invalid("prefix", rule));
    }
    let read = outside::read(new).map_err(outside::refused)?;
    let all = others::all(db).await?;
    if all.iter().filter(|it| it.tenant == new.tenant).count() >= MOST {
        let rule = format!("a tenant believes at most {MOST} authorities of others");
        return Err(ControlError::conflict(rule));
    }
    // Whose a certificate is has to be known from it alone.
    for other in &all {
        let same = outside::read(other).is_ok_and(|it| {
            it.certificates().iter().any(|a| read.certificates().iter().any(|b| a.spki == b.spki))
        });
        if same && WorkloadPrefix::parse(&other.prefix).is_ok_and(|it| it.overlaps(&prefix)) {
            return Err(ControlError::conflict(
                "this authority is believed for such names already; remove that first, or choose \
                 another prefix",
            ));
        }
    }
    Ok(())
}

/// Lists in PEM.
fn pem(text: &str) -> Result<String, ControlError> {
    let rule = "this is no revocation list in PEM, and none in base64";
    lists_in_pem(text).ok_or_else(|| ControlError::invalid("crl", rule))
}

/// Whether a credential is certificates of an authority of others.
fn is_of(credential: &Credential, id: AuthorityId) -> bool {
    matches!(credential.proof, Proof::OutsideCertificate { authority, .. } if authority == id)
}

async fn one(
    core: &Core,
    tenant: TenantId,
    id: AuthorityId,
) -> Result<OutsideAuthorityView, ControlError> {
    let mut db = core.registry.read().await?;
    let found = others::find(&mut db, tenant, id).await?;
    let all = credential::list(&mut db, tenant).await?;
    Ok(shown(core, &found, &all))
}

fn shown(core: &Core, found: &OutsideAuthority, all: &[Credential]) -> OutsideAuthorityView {
    let now = core.now();
    let standing =
        |it: &&Credential| is_of(it, found.id) && it.revoked_at.is_none() && it.expires > now;
    outside::view(found, all.iter().filter(standing).count(), now)
}

async fn view(core: &Core, tenant: TenantId) -> Result<AuthorityView, ControlError> {
    let document = core.document();
    let doc: &TenantDoc = names::tenant(&document, tenant)?;
    let now = core.now();
    let mut db = core.registry.read().await?;
    let found = table::find(&mut db, tenant).await?;
    let standing = table::all(&mut db, now).await?.into_iter();
    let all = credential::list(&mut db, tenant).await?;
    let revoked = all.iter().filter(|it| {
        let is_own = matches!(it.proof, Proof::Certificate { .. });
        is_own && it.revoked_at.is_some() && it.expires > now
    });
    let former = standing.filter(|it| it.tenant == tenant).filter_map(|it| {
        let (retired, ends) = it.retired?;
        Some(FormerAuthority {
            certificate: it.certificate,
            retired,
            ends,
            list_number: it.crl_number,
            list: it.list,
        })
    });
    let others = others::list(&mut db, tenant).await?;
    Ok(AuthorityView {
        created: found.as_ref().map(|it| it.created),
        list_number: found.as_ref().map_or(0, |it| it.crl_number),
        list: found.as_ref().and_then(|it| it.list.clone()),
        certificate: found.map(|it| it.certificate),
        speaks_for: authority::prefix(core, doc)?.to_string(),
        revoked: show::count(revoked.count()),
        former: former.collect(),
        outside: others.iter().map(|it| shown(core, it, &all)).collect(),
        server_authority: table::servers(&mut db).await?,
    })
}
