//! Withdrawing what agents prove themselves with, in one transaction: credentials, tokens,
//! sessions, and calls that wait.

use std::collections::BTreeSet;
use std::time::Duration;

use cs_model::document::{AgentDoc, TenantDoc};
use cs_model::revocation::Revoked;
use cs_model::state::{CredentialKind, SessionEnd};
use cs_model::text::neutralise;
use cs_model::{RevocationId, Timestamp};
use cs_registry::credential::{self, Credential, Proof};
use cs_registry::revocation::{self, Revocation};
use cs_registry::session;

use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::provider::is_plain;
use crate::show;
use crate::view::revocation::{RevocationView, RevokedAll};

/// How long a token may be accepted at most, with the most that clocks may differ.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400 + 120);

/// How far a revocation may reach ahead: as far as clocks may differ.
const AHEAD: Duration = Duration::from_secs(60);

/// The end of the year 9999: when a key that got into other hands stops being one.
const NEVER: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// When no token that a revocation could concern can be alive any more. A key is worth as much to
/// whoever stole it tomorrow as today.
pub(crate) fn ends(what: &Revoked, now: Timestamp) -> Timestamp {
    match what {
        // And a certificate may live as long as its authority likes.
        Revoked::Certificate { .. } | Revoked::Key { .. } => NEVER,
        Revoked::Issuer { until, .. } | Revoked::Subject { until, .. } => {
            now.max(*until).after(LONGEST_LIFE)
        }
        Revoked::Token { .. } => now.after(LONGEST_LIFE),
    }
}

/// What is withdrawn, for a person.
pub(crate) fn sentence(what: &Revoked) -> String {
    let safe = |text: &str| neutralise(text, 255);
    match what {
        Revoked::Certificate { authority, serial } => {
            format!("certificate {} of authority {authority}", safe(serial))
        }
        Revoked::Issuer { issuer, until } => {
            format!("every token that {} issued up to {until}", safe(issuer))
        }
        Revoked::Key { issuer, key_id } => {
            format!("everything that key `{}` of {} signed", safe(key_id), safe(issuer))
        }
        Revoked::Subject { issuer, subject, until } => {
            let (subject, issuer) = (safe(subject), safe(issuer));
            format!("every token of `{subject}` that {issuer} issued up to {until}")
        }
        Revoked::Token { issuer, id } => format!("token `{}` of {}", safe(id), safe(issuer)),
    }
}

pub(crate) fn view(found: Revocation) -> RevocationView {
    RevocationView {
        id: found.id,
        sentence: sentence(&found.what),
        what: found.what,
        reason: found.reason,
        created: found.created,
        ends: found.ends,
    }
}

/// Says what is wrong with a revocation. One of an issuer whose tokens are not accepted anyway is
/// most likely a slip, and would only seem to help.
pub(crate) fn judge(
    doc: &TenantDoc,
    own: &str,
    what: &Revoked,
    now: Timestamp,
) -> Result<(), ControlError> {
    let wrong = |rule: &str| Err(ControlError::invalid("what", rule));
    let (issuer, named, until) = match what {
        Revoked::Certificate { serial, .. } => return judge_serial(serial),
        Revoked::Issuer { issuer, until } => (issuer, None, Some(until)),
        Revoked::Key { issuer, key_id } => (issuer, Some(key_id), None),
        Revoked::Subject { issuer, subject, until } => (issuer, Some(subject), Some(until)),
        Revoked::Token { issuer, id } => (issuer, Some(id), None),
    };
    let is_own = doc.issuer.is_some() && issuer == own;
    if !is_own && !doc.providers.iter().any(|it| it.settings.issuer == *issuer) {
        return wrong("no identity provider of the tenant has this issuer, letter by letter");
    }
    if named.is_some_and(|text| !is_plain(text, 255)) {
        return wrong("what is named has between 1 and 255 characters, none of them invisible");
    }
    if until.is_some_and(|until| *until > now.after(AHEAD)) {
        return wrong("what has not been issued yet cannot be revoked");
    }
    Ok(())
}

/// One way only to write a serial number, or a revocation would meet nothing.
fn judge_serial(serial: &str) -> Result<(), ControlError> {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let whole = serial.len().is_multiple_of(2) && (2..=40).contains(&serial.len());
    if whole && !serial.starts_with("00") && serial.bytes().all(digit) {
        return Ok(());
    }
    let rule = "a serial number is 1 to 20 bytes in lower-case hexadecimal digits, without a \
                leading zero byte";
    Err(ControlError::invalid("what", rule))
}

/// What a credential is called in the log.
pub(crate) const fn noun(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "API key",
        CredentialKind::Certificate => "certificate",
        CredentialKind::Client => "client",
        CredentialKind::External => "external identity",
    }
}

/// A withdrawal in the making.
#[derive(Debug)]
#[must_use = "a withdrawal that does not take effect is not made"]
pub(crate) struct Withdrawal<'w> {
    core: &'w Core,
    edit: Edit<'w>,
    doc: &'w TenantDoc,
    /// The tenant's own issuer, as its tokens name it.
    own: String,
    reason: String,
    credentials: u64,
    sessions: u64,
    revocations: Vec<Revocation>,
    over: Vec<Over>,
}

impl<'w> Withdrawal<'w> {
    pub(crate) fn new(
        core: &'w Core,
        edit: Edit<'w>,
        (doc, own): (&'w TenantDoc, String),
        reason: String,
    ) -> Self {
        Self {
            core,
            edit,
            doc,
            own,
            reason,
            credentials: 0,
            sessions: 0,
            revocations: Vec::new(),
            over: Vec::new(),
        }
    }

    /// Withdraws what one agent has.
    pub(crate) async fn agent(&mut self, agent: &AgentDoc) -> Result<(), ControlError> {
        let (tenant, at, why) = (self.doc.id, self.edit.at(), SessionEnd::Credential);
        let all = credential::list(self.edit.db(), tenant).await?;
        let mut subjects = BTreeSet::new();
        for own in all.iter().filter(|it| it.agent == agent.id) {
            self.credential(own).await?;
            match &own.proof {
                Proof::External { provider, subject } => {
                    let found = self.doc.providers.iter().find(|it| it.id == *provider);
                    subjects.extend(found.map(|it| (it.settings.issuer.clone(), subject.clone())));
                }
                Proof::Client { .. } => {
                    subjects.insert((self.own.clone(), own.key_id.clone()));
                }
                Proof::ApiKey | Proof::Certificate { .. } | Proof::OutsideCertificate { .. } => {}
            }
        }
        for (issuer, subject) in subjects {
            self.tokens(Revoked::Subject { issuer, subject, until: at }).await?;
        }
        let ended = session::end_of_agent(self.edit.db(), tenant, agent.id, why, at).await?;
        if !ended.is_empty() {
            self.sessions = self.sessions.saturating_add(show::count(ended.len()));
            self.over.push(Over::of(&mut self.edit, tenant, ended, why).await?);
        }
        Ok(())
    }

    async fn credential(&mut self, own: &Credential) -> Result<(), ControlError> {
        if own.revoked_at.is_some() {
            return Ok(());
        }
        let at = self.edit.at();
        credential::revoke(self.edit.db(), own.tenant, own.id, at).await?;
        let what = noun(own.proof.kind());
        let mut event = self.edit.admin(own.tenant, format!("revoked the {what} `{}`", own.key_id));
        (event.agent, event.credential) = (Some(own.agent), Some(own.id));
        self.edit.tell(event);
        self.credentials = self.credentials.saturating_add(1);
        Ok(())
    }

    /// Withdraws every token of each of the tenant's issuers.
    pub(crate) async fn issuers(&mut self) -> Result<(), ControlError> {
        let (doc, until) = (self.doc, self.edit.at());
        for provider in &doc.providers {
            let issuer = provider.settings.issuer.clone();
            self.tokens(Revoked::Issuer { issuer, until }).await?;
        }
        if doc.issuer.is_some() {
            let issuer = self.own.clone();
            self.tokens(Revoked::Issuer { issuer, until }).await?;
        }
        Ok(())
    }

    async fn tokens(&mut self, what: Revoked) -> Result<(), ControlError> {
        let new = Revocation {
            id: RevocationId::from_random(self.core.random()?),
            tenant: self.doc.id,
            ends: ends(&what, self.edit.at()),
            what,
            reason: self.reason.clone(),
            created: self.edit.at(),
        };
        revocation::add(self.edit.db(), &new).await?;
        self.edit.say(Some(self.doc.id), format!("revoked {}", sentence(&new.what)));
        self.revocations.push(new);
        Ok(())
    }

    /// Has all of it enforced. From here on, nothing of it is accepted.
    pub(crate) async fn take_effect(
        self,
        agent: Option<&AgentDoc>,
    ) -> Result<RevokedAll, ControlError> {
        let Self { core, mut edit, doc, reason, credentials, sessions, revocations, over, .. } =
            self;
        let whose = match agent {
            Some(agent) => format!("agent `{}`", agent.name),
            None => format!("tenant `{}`", doc.name),
        };
        let what = format!("revoked all credentials and tokens of {whose}: {reason}");
        let mut event = edit.admin(doc.id, what);
        event.agent = agent.map(|it| it.id);
        edit.tell(event);
        edit.record().await?;
        for over in over {
            over.take_effect(core).await;
        }
        let revocations = revocations.into_iter().map(view).collect();
        Ok(RevokedAll { credentials, sessions, revocations })
    }
}
