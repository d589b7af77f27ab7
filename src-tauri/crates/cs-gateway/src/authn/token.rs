//! OAuth access tokens: from the header to the caller.
//!
//! A token that is seen for the first time is verified as a whole; after that only its digest is
//! known. What may change while it lives is asked on every request all the same: whether its
//! provider, with these settings and these keys, is still trusted, whether it was withdrawn or has
//! expired, what it is for, whether its holder may come in, and what it is bound to.

pub(in crate::authn) mod believed;
mod binding;
pub(in crate::authn) mod said;

use std::sync::Arc;

use cs_model::provider::IntrospectionUse;
use cs_model::{Digest, Secret, TenantId, Timestamp};
use cs_trust::token::{KeySet, TokenError, Unverified};
use http::HeaderMap;

use self::believed::Believed;
use self::said::Said;
use super::{Carried, Doubt, Letter, Presented, Proven, accept};
use crate::gate::Gate;
use crate::issuers::{Asked, Introspected};
use crate::recent::Recent;
use crate::trail::neutral;
use crate::wire::single;
use crate::world::{Provider, Providers, World};

/// How many tokens are known at a time.
const MOST: usize = 20_000;

/// The tokens that were verified lately, by tenant and digest.
#[derive(Debug)]
pub(crate) struct Known(Recent<(TenantId, Digest), Arc<Believed>>);

impl Default for Known {
    fn default() -> Self {
        Self(Recent::new(MOST))
    }
}

/// How a token is handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// A token as it stands in the request.
#[derive(Clone, Copy)]
struct Handed<'r> {
    scheme: Scheme,
    text: &'r str,
}

impl<'r> Handed<'r> {
    fn of(headers: &'r HeaderMap) -> Result<Self, Doubt> {
        let header = single(headers, "authorization");
        let header = header.map_err(|_| Doubt::Because("several_credentials"))?;
        let (scheme, text) = header
            .and_then(|it| it.split_once(' '))
            .ok_or(Doubt::Because("authorization_malformed"))?;
        let scheme = if scheme.eq_ignore_ascii_case("bearer") {
            Scheme::Bearer
        } else if scheme.eq_ignore_ascii_case("dpop") {
            Scheme::Dpop
        } else {
            return Err(Doubt::Because("authorization_scheme"));
        };
        // The characters of `token68` (RFC 9110, section 11.2), and nothing around them.
        let plain = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        };
        if text.is_empty() || !text.bytes().all(plain) {
            return Err(Doubt::Because("authorization_malformed"));
        }
        Ok(Self { scheme, text })
    }
}

/// A request with a token, and what is known of it.
struct Case<'c> {
    gate: &'c Gate,
    letter: Letter<'c>,
    handed: Handed<'c>,
    tenant: TenantId,
    digest: Digest,
    now: Timestamp,
    /// Whether it was good lately.
    is_known: bool,
    /// Whether only such tokens are looked at now.
    turned_away: bool,
}

/// The caller who presents a token.
pub(super) async fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    turned_away: bool,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    let handed = Handed::of(letter.headers)?;
    let tenant = gate.world().policy.tenant_named(letter.tenant).map(|tenant| tenant.id);
    let digest = Digest::of(handed.text.as_bytes());
    // A clock that is set back makes no token younger.
    let now = gate.latest();
    let caller = match tenant {
        Some(tenant) => {
            let is_known = gate.tokens.0.has(&(tenant, digest));
            let case = Case { gate, letter, handed, tenant, digest, now, is_known, turned_away };
            let caller = case.judge().await;
            if matches!(caller, Err(Doubt::Because(_))) {
                gate.tokens.0.forget(&(tenant, digest));
            }
            caller
        }
        None => Err(Doubt::Because("tenant_unknown")),
    };
    if caller.is_err() && !turned_away {
        *claimed = claim(handed.text);
    }
    caller
}

/// A token of the tenant's own issuer, if it is genuine and its time is not up, whichever endpoint
/// it is for.
pub(crate) fn own_token(
    provider: &Arc<Provider>,
    tenant: TenantId,
    text: &str,
    now: Timestamp,
) -> Option<Believed> {
    let keys = provider.keys.as_ref()?;
    let token = Unverified::parse(text).ok()?;
    let audience = token.audience().first()?.clone();
    let rules = believed::rules(&provider.settings, &audience);
    let token = token.verify(keys, &rules, now).ok()?;
    let said = Said::by_token(token, &audience).ok()?;
    Believed::of(provider, Some(Arc::clone(keys)), tenant, &said, now).ok()
}

/// Whom a token that was refused claims to stand for.
fn claim(text: &str) -> Option<String> {
    let token = Unverified::parse(text).ok()?;
    let issuer = token.issuer().unwrap_or("nobody");
    let subject = token.subject().unwrap_or("nobody");
    Some(neutral(&format!("{subject} of {issuer}")))
}

impl Case<'_> {
    async fn judge(&self) -> Result<Presented, Doubt> {
        let token = match self.known().await? {
            Some(token) => token,
            None if self.turned_away && !self.is_known => return Err(Doubt::TurnedAway),
            None => self.first_seen().await?,
        };
        self.ask(&token).await?;
        // Asking takes time, in which anything may have been withdrawn.
        let world = self.gate.world();
        let mark = &token.mark;
        if let Some(reason) = mark.objection(&world, self.now) {
            return Err(Doubt::Because(reason));
        }
        let holder = Providers::holder(&world.credentials, &token.provider, &mark.subject);
        let holder = holder.ok_or(Doubt::Because("subject_unknown"))?;
        let tenant = world.policy.tenant(self.tenant).ok_or(Doubt::Because("tenant_unknown"))?;
        let agent = tenant.agent(holder.agent).ok_or(Doubt::Because("agent_unknown"))?;
        let roles = token.roles(tenant, agent).map_err(Doubt::Because)?;
        let (task, tasks) = token.tasks(tenant);
        let bound = binding::check(self, &world, &token, holder)?;
        let asks = token.provider.settings.introspection.is_some();
        let carried = Carried {
            mark: Arc::clone(mark),
            resource: self.letter.resource.to_owned(),
            digest: self.digest,
            text: asks.then(|| Secret::from_text(self.handed.text.to_owned())),
        };
        let proven = Proven { roles, task, tasks, token: Some(Arc::new(carried)) };
        let caller = accept(&world, holder, self.letter, self.gate.now(), proven)?;
        if let Some(proof) = bound {
            let id = binding::id(&proof);
            super::nonce::spend(self.gate, holder, &id, proof.remember_until).await?;
        }
        Ok(caller)
    }

    /// A token that was verified before, if it would be verified now with the same outcome.
    async fn known(&self) -> Result<Option<Arc<Believed>>, Doubt> {
        let Some(token) = self.gate.tokens.0.get(&(self.tenant, self.digest)) else {
            return Ok(None);
        };
        let world = self.gate.world();
        let Some(provider) = self.provider(&world, &token.mark.issuer) else { return Ok(None) };
        if !token.is_of(provider) {
            return Ok(None);
        }
        match &token.keys {
            Some(keys) => {
                if !Arc::ptr_eq(keys, &self.keys(provider).await?.0) {
                    return Ok(None);
                }
            }
            None => {
                let asked = provider.settings.introspection.as_ref();
                let remembered = asked.is_some_and(|how| {
                    let cached = self.gate.issuers.remembers(provider.id, self.digest, self.now);
                    how.cache_secs > 0 && cached
                });
                if !remembered {
                    return Ok(None);
                }
            }
        }
        let accepted = believed::audiences(&provider.settings, self.letter.resource);
        if !accepted.contains(&token.mark.audience.as_str()) {
            return Err(Doubt::Because(TokenError::AudienceWrong.code()));
        }
        Ok(Some(token))
    }

    /// Verifies a token as a whole.
    async fn first_seen(&self) -> Result<Arc<Believed>, Doubt> {
        let token = match Unverified::parse(self.handed.text) {
            Ok(token) => self.by_signature(token).await?,
            // Not a signed token at all: only its provider knows what it is.
            Err(TokenError::Form) => self.by_answer().await?,
            Err(error) => return Err(Doubt::Because(error.code())),
        };
        let token = Arc::new(token);
        self.gate.tokens.0.put((self.tenant, self.digest), Arc::clone(&token));
        Ok(token)
    }

    fn provider<'w>(&self, world: &'w World, issuer: &str) -> Option<&'w Arc<Provider>> {
        world.providers.get(self.tenant, issuer)
    }

    /// The keys of a provider, and whether they were fetched for this request.
    async fn keys(&self, provider: &Arc<Provider>) -> Result<(Arc<KeySet>, bool), Doubt> {
        if let Some(own) = &provider.keys {
            return Ok((Arc::clone(own), true));
        }
        let usable = self.gate.issuers.keys(provider).await;
        let usable = usable.map_err(|_| Doubt::Undecided("provider_unreachable"))?;
        Ok((usable.keys, usable.fetched_now))
    }

    async fn by_signature(&self, token: Unverified) -> Result<Believed, Doubt> {
        let because = |error: TokenError| Doubt::Because(error.code());
        let issuer = token.issuer().ok_or(because(TokenError::IssuerInvalid))?;
        let world = self.gate.world();
        let provider = self.provider(&world, issuer);
        let provider = provider.ok_or(Doubt::Because("issuer_unknown"))?;
        let (mut keys, fetched_now) = self.keys(provider).await?;
        if let Some(key_id) = token.key_id().filter(|key_id| !keys.has(key_id)) {
            let unknown = || because(TokenError::KeyUnknown);
            if fetched_now {
                return Err(unknown());
            }
            keys = self.gate.issuers.keys_with(provider, key_id).await.ok_or_else(unknown)?;
        }
        let settings = &provider.settings;
        let accepted = believed::audiences(settings, self.letter.resource);
        let named = accepted.iter().find(|it| token.audience().iter().any(|aud| aud == **it));
        let audience = named.copied().unwrap_or(self.letter.resource).to_owned();
        let rules = believed::rules(settings, &audience);
        let token = token.verify(&keys, &rules, self.now).map_err(because)?;
        if !accepted.contains(&audience.as_str()) {
            return Err(because(TokenError::AudienceWrong));
        }
        let said = Said::by_token(token, &audience).map_err(Doubt::Because)?;
        Believed::of(provider, Some(keys), self.tenant, &said, self.now).map_err(Doubt::Because)
    }

    /// What the one provider that is asked about every token says of this one.
    async fn by_answer(&self) -> Result<Believed, Doubt> {
        let world = self.gate.world();
        let mut asked = world.providers.of_tenant(self.tenant).filter_map(|provider| {
            let how = provider.settings.introspection.as_ref()?;
            (how.when == IntrospectionUse::Always).then_some((provider, how))
        });
        let (Some((provider, how)), None) = (asked.next(), asked.next()) else {
            return Err(Doubt::Because(TokenError::Form.code()));
        };
        let text = Secret::from_text(self.handed.text.to_owned());
        let stranger = (!self.is_known).then_some(self.letter.from);
        let asked = Asked { provider, how, token: &text, stranger };
        let said = match self.gate.issuers.introspect(asked).await {
            Introspected::Active(said) => said,
            Introspected::Inactive => return Err(Doubt::Because("token_inactive")),
            Introspected::Undecided(why) => return Err(Doubt::Undecided(why)),
        };
        let accepted = believed::audiences(&provider.settings, self.letter.resource);
        let said = Said::by_answer(said, &provider.settings, self.digest, &accepted, self.now);
        let said = said.map_err(Doubt::Because)?;
        let token = Believed::of(provider, None, self.tenant, &said, self.now);
        let token = token.map_err(Doubt::Because)?;
        self.gate.issuers.remember(provider.id, self.digest, self.now, how.cache_secs);
        Ok(token)
    }

    /// Asks the provider whether a signed token still holds, where its settings want that on
    /// every request.
    async fn ask(&self, token: &Believed) -> Result<(), Doubt> {
        let provider = &token.provider;
        let Some(how) = &provider.settings.introspection else { return Ok(()) };
        let issuers = &self.gate.issuers;
        let asked = how.when == IntrospectionUse::Always && token.keys.is_some();
        let remembered =
            how.cache_secs > 0 && issuers.remembers(provider.id, self.digest, self.now);
        if !asked || remembered {
            return Ok(());
        }
        let text = Secret::from_text(self.handed.text.to_owned());
        match issuers.introspect(Asked { provider, how, token: &text, stranger: None }).await {
            Introspected::Active(said) if said::agrees(&said, &token.mark) => {
                issuers.remember(provider.id, self.digest, self.now, how.cache_secs);
                Ok(())
            }
            Introspected::Active(_) => Err(Doubt::Because("introspection_mismatch")),
            Introspected::Inactive => Err(Doubt::Because("token_inactive")),
            Introspected::Undecided(why) => Err(Doubt::Undecided(why)),
        }
    }
}
