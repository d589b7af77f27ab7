//! The gateway's own token issuer: OAuth 2.1 for clients alone, where there is no identity provider.
//!
//! Its tokens go through gate one as any provider's do; only its keys need not be fetched. Read it
//! in this order: `form` (what a request says), `client` (who it is from), `grant` (what it may
//! have), `inspect` (what a token is worth, and giving one up), `documents` (what is published),
//! `refused` (every no).

mod client;
mod documents;
mod form;
mod grant;
mod inspect;
mod quota;
mod refused;
mod signers;

use std::net::IpAddr;
use std::sync::Arc;

use cs_model::event::{Event, EventKind};
use cs_model::{TenantId, Timestamp};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use hyper::body::Incoming;

use self::form::Form;
use self::quota::Asked;
use self::refused::Refused;
use crate::answer::Answer;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::router::{self, Caller};
use crate::strangers::Origin;
use crate::tls::Peer;
use crate::trail::{Trail, neutral};
use crate::wire::single;
use crate::world::{OwnIssuer, World};

pub use self::quota::IssuerLimits;
pub(crate) use self::quota::Quota;
pub(crate) use self::signers::Signers;

/// The most bytes of a request.
const MOST_BYTES: usize = 64 * 1024;

/// The method by which clients prove who they are, as the log calls it.
const METHOD: &str = "client";

/// A place of an issuer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Where other OAuth clients would send people. There are none here.
    Authorize,
    Introspect,
    Keys,
    Metadata,
    Revoke,
    Token,
}

/// What is at a path: a place of the issuer of the tenant of this name.
pub(crate) fn place(path: &str) -> Option<(&str, Place)> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [
            "",
            ".well-known",
            "oauth-authorization-server" | "openid-configuration",
            "t",
            tenant,
            "as",
        ]
        | [
            "",
            "t",
            tenant,
            "as",
            ".well-known",
            "oauth-authorization-server" | "openid-configuration",
        ] => Some((tenant, Place::Metadata)),
        ["", "t", tenant, "as", last] => {
            let place = match *last {
                "authorize" => Place::Authorize,
                "introspect" => Place::Introspect,
                "jwks" => Place::Keys,
                "revoke" => Place::Revoke,
                "token" => Place::Token,
                _ => return None,
            };
            Some((tenant, place))
        }
        _ => None,
    }
}

/// The issuer of a tenant, as its tokens name it.
pub(crate) fn uri(origin: &str, tenant: &str) -> String {
    format!("{origin}/t/{tenant}/as")
}

/// A request to an issuer.
struct Case<'c> {
    gate: &'c Gate,
    world: Arc<World>,
    own: Arc<OwnIssuer>,
    /// As its tokens name it.
    issuer: String,
    headers: &'c HeaderMap,
    from: IpAddr,
    /// The client certificate of the connection, where it has one.
    peer: Option<&'c Arc<Peer>>,
    /// A clock that is set back makes no token younger.
    now: Timestamp,
}

/// Answers a request to an issuer. Where there is none, there is nothing at the path.
pub(crate) async fn serve(
    gate: &Gate,
    (parts, body): (&Parts, Incoming),
    caller: &Caller,
    (tenant, place): (&str, Place),
    mut trail: Trail,
) -> Answer {
    let world = gate.world();
    let found = world.policy.tenant_named(tenant).and_then(|it| world.issuers.of(it.id));
    let Some(own) = found else { return router::refuse(gate, trail, None, Refusal::Path).await };
    let case = Case {
        gate,
        own: Arc::clone(own),
        world: Arc::clone(&world),
        issuer: uri(&gate.origin(&gate.host), tenant),
        headers: &parts.headers,
        from: caller.peer.ip(),
        peer: caller.certificate.as_ref(),
        now: gate.latest(),
    };
    let answered = match place {
        Place::Authorize | Place::Keys | Place::Metadata => documents::answer(&case, parts, place),
        Place::Introspect | Place::Revoke | Place::Token => {
            let mut claimed = None;
            let done = case.attend(parts, body, caller, place, &mut claimed, &mut trail).await;
            match done {
                Err(refused) => case.tell(refused, claimed, &mut trail).await,
                done => done,
            }
        }
    };
    match answered {
        Ok(answer) => answer,
        Err(Refused::Elsewhere(why)) => router::refuse(gate, trail, None, why).await,
        Err(refused) => refused.answer(),
    }
}

impl Case<'_> {
    /// Takes a request to what it asks for, once it is known who it is from.
    async fn attend(
        &self,
        parts: &Parts,
        body: Incoming,
        caller: &Caller,
        place: Place,
        claimed: &mut Option<String>,
        trail: &mut Trail,
    ) -> Result<Answer, Refused> {
        if parts.method != Method::POST {
            return Err(Refused::Method("POST"));
        }
        self.gate.quota.take(Asked::Address(Origin::of(self.from)), self.now)?;
        self.gate.quota.look(Asked::Failures(Origin::of(self.from)), self.now)?;
        check_head(parts)?;
        let body = router::read(self.gate, body, self.headers, &caller.wire, MOST_BYTES).await;
        let body = body.map_err(|why| {
            let large = matches!(why, Refusal::BodySize);
            if large { Refused::TooLarge } else { Refused::Elsewhere(why) }
        })?;
        let form = Form::read(&body)?;
        let client = client::identify(self, &form, claimed).await?;
        trail.caller(client.holder.tenant, client.holder.agent, client.holder.credential);
        trail.accepted(METHOD, self.gate.now());
        self.gate.quota.take(Asked::Client(client.holder.credential), self.now)?;
        match place {
            Place::Introspect => inspect::introspect(self, &form, trail).await,
            Place::Revoke => inspect::revoke(self, &form, &client, trail).await,
            Place::Authorize | Place::Keys | Place::Metadata | Place::Token => {
                grant::issue(self, &form, &client, trail).await
            }
        }
    }

    /// Puts a refusal on record. What cannot be recorded is refused for that reason.
    async fn tell(
        &self,
        refused: Refused,
        claimed: Option<String>,
        trail: &mut Trail,
    ) -> Result<Answer, Refused> {
        if let Refused::Elsewhere(_) = refused {
            return Err(refused);
        }
        if let Refused::Client { .. } = refused {
            let _ = self.gate.quota.take(Asked::Failures(Origin::of(self.from)), self.now);
        }
        if let Some((kind, reason)) = refused.on_record() {
            let mut event = trail.event(kind, self.gate.now());
            event.tenant = Some(self.tenant());
            event.reason = Some(reason.to_owned());
            event.detail = (kind == EventKind::AuthnFailed).then(|| METHOD.to_owned());
            event.claimed = claimed.as_deref().map(neutral);
            event.policy_version = Some(self.world.policy.version());
            trail.note(event);
        }
        trail.settle(&self.gate.ports).await?;
        Err(refused)
    }

    fn tenant(&self) -> TenantId {
        self.own.tenant
    }

    /// An event that tells what was done for a client.
    fn event(&self, kind: EventKind, trail: &Trail, detail: &str) -> Event {
        let mut event = trail.event(kind, self.gate.now());
        event.policy_version = Some(self.world.policy.version());
        event.detail = Some(neutral(detail));
        event
    }
}

/// Checks what can be checked before the body is read: a form, and nothing in the address.
fn check_head(parts: &Parts) -> Result<(), Refused> {
    let headers = &parts.headers;
    if parts.uri.query().is_some() {
        return Err(Refused::Request("query"));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refused::Request("content_encoding"));
    }
    match single(headers, "content-type") {
        Ok(Some(kind)) if is_form(kind) => Ok(()),
        Ok(_) | Err(_) => Err(Refused::Request("content_type")),
    }
}

fn is_form(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let utf8 = |parameter: &str| parameter.eq_ignore_ascii_case("charset=utf-8");
    name.eq_ignore_ascii_case("application/x-www-form-urlencoded") && parts.all(utf8)
}
