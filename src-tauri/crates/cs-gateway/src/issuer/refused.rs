//! Every no of an issuer, and what the client sees of it (RFC 6749, section 5.2).

use cs_model::event::EventKind;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::quota::Exceeded;
use crate::answer::{self, Answer};
use crate::ports::PortError;
use crate::refusal::Refusal;

/// Why a request is not done. The codes are for the log.
#[derive(Debug)]
pub(super) enum Refused {
    /// Nobody knows who it is from: one answer for every reason.
    Client {
        /// Why.
        reason: &'static str,
        /// Whether the client came with an `Authorization` header.
        header: bool,
    },
    /// The `authorization_details` are not to be had.
    Details(&'static str),
    /// A refusal that is not OAuth's.
    Elsewhere(Refusal),
    /// Another grant than the one that there is.
    Grant,
    /// The HTTP method has no meaning here. The one that has.
    Method(&'static str),
    /// The request cannot be one.
    Request(&'static str),
    /// A scope is not to be had.
    Scope,
    /// The resource is no endpoint of the tenant, or not to be had.
    Target(&'static str),
    /// The body is larger than any request may be.
    TooLarge,
    /// Too many requests.
    TooMany(Exceeded),
    /// Nobody is sent here to sign in.
    Nobody,
    /// Something could not be put on record, so it is not done.
    Unrecorded(PortError),
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Self::TooMany(exceeded)
    }
}

impl From<PortError> for Refused {
    fn from(error: PortError) -> Self {
        Self::Unrecorded(error)
    }
}

impl Refused {
    /// What goes on record. Of too many requests only the first of each minute does.
    pub(super) const fn on_record(&self) -> Option<(EventKind, &'static str)> {
        let refused = EventKind::IssuerRefused;
        match self {
            Self::Client { reason, .. } => Some((EventKind::AuthnFailed, reason)),
            Self::Details(reason) | Self::Request(reason) | Self::Target(reason) => {
                Some((refused, reason))
            }
            Self::Grant => Some((refused, "grant_unsupported")),
            Self::Method(_) => Some((refused, "http_method")),
            Self::Scope => Some((refused, "scope_invalid")),
            Self::TooLarge => Some((refused, "body_too_large")),
            Self::TooMany(exceeded) if exceeded.first => Some((refused, "rate_limited")),
            Self::TooMany(_) | Self::Elsewhere(_) | Self::Nobody | Self::Unrecorded(_) => None,
        }
    }

    /// The answer.
    pub(super) fn answer(self) -> Answer {
        let bad = StatusCode::BAD_REQUEST;
        let (status, error, said) = match &self {
            Self::Client { .. } => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client is not known, or did not prove who it is",
            ),
            Self::Details(_) => (
                bad,
                "invalid_authorization_details",
                "authorization_details names the tasks that the token is for, each as \
                 {\"type\":\"countersign_task\",\"task\":\"...\"}, and only those that the client may declare",
            ),
            Self::Grant => {
                (bad, "unsupported_grant_type", "There is no grant but client_credentials")
            }
            Self::Method(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "invalid_request",
                "The HTTP method is not allowed here",
            ),
            Self::Nobody => (
                bad,
                "unsupported_response_type",
                "Nobody signs in here: clients get tokens with the grant client_credentials",
            ),
            Self::Request(_) => (
                bad,
                "invalid_request",
                "The request is not a form with each parameter once, or says who it is from in \
                 several ways",
            ),
            Self::Scope => (bad, "invalid_scope", "A scope is not one that the client may have"),
            Self::Target(_) => (
                bad,
                "invalid_target",
                "resource has to be one MCP endpoint of this tenant, letter by letter",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid_request",
                "The request is larger than 64 KiB",
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "Too many requests; come back later",
            ),
            Self::Elsewhere(_) | Self::Unrecorded(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The gateway cannot record the request, so it was not done",
            ),
        };
        let body = json!({ "error": error, "error_description": said }).to_string();
        let mut answer = answer::json(status, body);
        let headers = answer.headers_mut();
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        match self {
            Self::Client { header: true, .. } => {
                let basic = HeaderValue::from_static("Basic realm=\"countersign\"");
                headers.insert(header::WWW_AUTHENTICATE, basic);
            }
            Self::Method(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::TooLarge => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::TooMany(exceeded) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(exceeded.wait_secs));
            }
            Self::Unrecorded(error) => {
                let source = error.source.as_deref().map(ToString::to_string);
                tracing::error!(doing = error.doing, source, "an issuer refused a request");
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::Client { header: false, .. }
            | Self::Details(_)
            | Self::Elsewhere(_)
            | Self::Grant
            | Self::Nobody
            | Self::Request(_)
            | Self::Scope
            | Self::Target(_) => {}
        }
        answer
    }
}
