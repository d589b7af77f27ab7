//! What a token is worth (RFC 7662), and giving one up (RFC 7009).

use std::sync::Arc;

use cs_model::event::EventKind;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Case;
use super::client::Client;
use super::form::Form;
use super::grant::details;
use super::refused::Refused;
use crate::answer::{self, Answer};
use crate::authn::{Believed, own_token, standing, used_up};
use crate::ports::GivenUp;
use crate::trail::Trail;
use crate::world::Provider;

/// Says what a token of this issuer is worth now. Of every other token it says that it is worth
/// nothing, and not why.
pub(super) async fn introspect(
    case: &Case<'_>,
    form: &Form,
    trail: &mut Trail,
) -> Result<Answer, Refused> {
    let text = form.get("token").ok_or(Refused::Request("token_missing"))?;
    trail.settle(&case.gate.ports).await?;
    let said = known(case, text).filter(|token| is_active(case, token));
    let said = said.map_or_else(|| json!({ "active": false }), |token| described(case, &token));
    Ok(answer::json(StatusCode::OK, said.to_string()))
}

/// Withdraws a token of the client's own. Whatever else it names, nothing is done, and the answer
/// is the same: what is not good is withdrawn already.
pub(super) async fn revoke(
    case: &Case<'_>,
    form: &Form,
    client: &Client,
    trail: &mut Trail,
) -> Result<Answer, Refused> {
    let text = form.get("token").ok_or(Refused::Request("token_missing"))?;
    let done = || answer::json(StatusCode::OK, "{}".to_owned());
    let Some(token) = known(case, text) else {
        trail.settle(&case.gate.ports).await?;
        return Ok(done());
    };
    let mark = &token.mark;
    let detail = format!("token {}", mark.id);
    if mark.subject != client.id {
        let mut event = case.event(EventKind::IssuerRefused, trail, &detail);
        event.reason = Some("token_of_another".to_owned());
        trail.note(event);
        trail.settle(&case.gate.ports).await?;
        return Ok(done());
    }
    if mark.objection(&case.world, case.now).is_some() {
        trail.settle(&case.gate.ports).await?;
        return Ok(done());
    }
    let event = case.event(EventKind::IssuerRevoked, trail, &detail);
    let given = GivenUp {
        tenant: mark.tenant,
        issuer: mark.issuer.clone(),
        id: mark.id.clone(),
        expires: mark.expires,
    };
    let events = trail.take_with(event);
    case.gate.ports.revocations.give_up(given, events).await?;
    Ok(done())
}

/// A genuine token of this issuer whose time is not up.
fn known(case: &Case<'_>, text: &str) -> Option<Believed> {
    let provider: &Arc<Provider> = case.world.providers.get(case.tenant(), &case.issuer)?;
    own_token(provider, case.tenant(), text, case.now)
}

/// Whether a request would be let in with it, from the right place and with what it is bound to.
fn is_active(case: &Case<'_>, token: &Believed) -> bool {
    let mark = &token.mark;
    let holder = case.world.credentials.client(&mark.subject).map(|(_, holder)| holder);
    let holder = holder.filter(|it| it.tenant == mark.tenant);
    mark.objection(&case.world, case.now).is_none()
        && holder.is_some_and(|holder| {
            used_up(holder, case.now).is_none() && standing(&case.world, holder).is_none()
        })
}

fn described(case: &Case<'_>, token: &Believed) -> Value {
    let mark = &token.mark;
    let scopes: Vec<_> = mark.scopes.iter().map(String::as_str).collect();
    let mut said: Map<String, Value> = Map::new();
    let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
    say("active", true.into());
    say("iss", mark.issuer.as_str().into());
    say("sub", mark.subject.as_str().into());
    say("client_id", mark.subject.as_str().into());
    say("aud", mark.audience.as_str().into());
    say("iat", mark.issued.secs().into());
    say("nbf", mark.issued.secs().into());
    say("exp", mark.expires.secs().into());
    say("jti", mark.id.as_str().into());
    say("scope", scopes.join(" ").into());
    say("token_type", "Bearer".into());
    say("tenant", case.own.name.as_str().into());
    if !token.tasks.is_empty() {
        say("authorization_details", details(&token.tasks));
    }
    if let Some(bound) = token.confirmation_claim() {
        say("cnf", bound);
    }
    Value::Object(said)
}
