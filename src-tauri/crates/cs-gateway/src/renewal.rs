//! `POST /t/{tenant}/credentials/renew`: where the holder of an API key is given the one that takes
//! its place.
//!
//! Who asks proves that like with any request, by a signature of the old key; a token or a
//! certificate proves something else and gets nothing here. The new secret crosses TLS or the
//! loopback only. That it is handed over is on record before it is. Until the new key is used for
//! the first time, the holder of the old one may ask again, since the answer may have been lost;
//! after that, never.

use std::sync::Arc;

use cs_model::event::EventKind;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;

use crate::answer::{self, Answer};
use crate::authn::{self, Letter};
use crate::gate::Gate;
use crate::ports::Renewal;
use crate::refusal::Refusal;
use crate::router::{Caller, read, refuse};
use crate::tls::Peer;
use crate::trail::Trail;
use crate::wire::only;

/// The tenant at a path, where it is this endpoint's.
pub(crate) fn place(path: &str) -> Option<&str> {
    path.strip_prefix("/t/")?.strip_suffix("/credentials/renew").filter(|it| !it.contains('/'))
}

/// Answers a request to it.
pub(crate) async fn serve(
    gate: &Arc<Gate>,
    (parts, body): (&Parts, Incoming),
    caller: &Caller,
    tenant: &str,
    mut trail: Trail,
) -> Answer {
    match hand_over(gate, (parts, body), caller, tenant, &mut trail).await {
        Ok(answer) => match trail.settle(&gate.ports).await {
            Ok(()) => answer,
            Err(error) => refuse(gate, trail, None, error.into()).await,
        },
        Err(why) => refuse(gate, trail, None, why).await,
    }
}

async fn hand_over(
    gate: &Gate,
    (parts, body): (&Parts, Incoming),
    caller: &Caller,
    tenant: &str,
    trail: &mut Trail,
) -> Result<Answer, Refusal> {
    let headers = &parts.headers;
    if parts.method != Method::POST {
        return Err(Refusal::Method);
    }
    if parts.uri.query().is_some() {
        return Err(Refusal::Query);
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refusal::Coding);
    }
    let is_private = gate.config.tls.is_some() || caller.peer.ip().to_canonical().is_loopback();
    if !is_private {
        return Err(Refusal::Path);
    }
    // There is nothing to say in it.
    let body = read(gate, body, headers, &caller.wire, 0).await?;
    let (path, host) = (parts.uri.path(), only(headers, "host").unwrap_or_default());
    let resource = gate.resource(host, path);
    let letter = Letter {
        method: parts.method.as_str(),
        path,
        headers,
        body: &body,
        tenant,
        resource: &resource,
        from: caller.peer.ip(),
        certificate: caller.certificate.as_deref().map(Peer::fingerprint),
        peer: caller.certificate.as_ref(),
    };
    let presented = authn::identify(gate, letter, trail).await?;
    if !letter.is_signed() {
        return Err(Refusal::NoSuccessor { reason: "renewal_takes_a_key" });
    }
    // Who asked is on record, whatever comes of it.
    trail.settle(&gate.ports).await?;
    let event = trail.event(EventKind::CredentialDelivered, gate.now());
    let (tenant, old) = (presented.tenant(), presented.credential());
    match gate.ports.renewals.renew(tenant, old, event).await? {
        Renewal::NotYet => Ok(answer::empty(StatusCode::NO_CONTENT)),
        Renewal::Refused { reason } => Err(Refusal::NoSuccessor { reason }),
        Renewal::Ready { credential, key_id, expires } => {
            let secret = gate.ports.secrets.api_key(credential).await?;
            let Some(text) = secret.expose_text() else {
                return Err(Refusal::NoSuccessor { reason: "successor_over" });
            };
            let said = serde_json::json!({
                "credential": credential, "key_id": key_id, "secret": text, "expires": expires,
            });
            let mut answer = answer::json(StatusCode::OK, said.to_string());
            let no_store = HeaderValue::from_static("no-store");
            answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
            Ok(answer)
        }
    }
}
