//! Whether a token is good enough for a call that asks more of it than to be let in: one that a
//! person has to sign for, or one of a tool that wants its provider asked. Right before the call is
//! put before somebody, and again before it is made.

use super::Warrant;
use super::token::said;
use crate::gate::Gate;
use crate::issuers::{Asked, Introspected};

/// What a call asks of the token that it comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// A person has to sign for it.
    pub(crate) signature: bool,
    /// Its tool wants the provider of the token to be asked about it.
    pub(crate) introspection: bool,
}

/// Why a token is not good enough: a short code for the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Weak {
    /// It does not hold any more, or is too old for such a call.
    Refused(&'static str),
    /// Nobody can say now.
    Undecided(&'static str),
}

/// Asks whether the token that a request came with is good enough. What is not a token is.
pub(crate) async fn confirm(gate: &Gate, warrant: &Warrant, needs: Needs) -> Result<(), Weak> {
    let Some(carried) = &warrant.token else { return Ok(()) };
    let (world, now) = (gate.world(), gate.latest());
    let mark = &carried.mark;
    if let Some(reason) = mark.objection(&world, now) {
        return Err(Weak::Refused(reason));
    }
    let provider = world.providers.get(mark.tenant, &mark.issuer);
    let provider = provider.ok_or(Weak::Refused("issuer_unknown"))?;
    if needs.signature {
        if mark.is_too_old(&world, now) {
            return Err(Weak::Refused("token_too_old"));
        }
        // What its provider withdrew meanwhile nobody would know of.
        if gate.issuers.is_failing(provider) {
            return Err(Weak::Undecided("provider_unreachable"));
        }
    }
    // What the gateway's own issuer would say is known already.
    if provider.keys.is_some() {
        return Ok(());
    }
    let how = match &provider.settings.introspection {
        Some(how) => how,
        None if needs.introspection => return Err(Weak::Undecided("introspection_impossible")),
        None => return Ok(()),
    };
    let issuers = &gate.issuers;
    // What a person signs for is always asked about anew.
    if !needs.signature && how.cache_secs > 0 && issuers.remembers(provider.id, carried.digest, now)
    {
        return Ok(());
    }
    // The settings may want this only since the request was let in.
    let token = carried.text.as_ref().ok_or(Weak::Undecided("introspection_impossible"))?;
    match issuers.introspect(Asked { provider, how, token, stranger: None }).await {
        Introspected::Active(said) if said::agrees(&said, mark) => {
            issuers.remember(provider.id, carried.digest, now, how.cache_secs);
            Ok(())
        }
        Introspected::Active(_) => Err(Weak::Refused("introspection_mismatch")),
        Introspected::Inactive => Err(Weak::Refused("token_inactive")),
        Introspected::Undecided(why) => Err(Weak::Undecided(why)),
    }
}
