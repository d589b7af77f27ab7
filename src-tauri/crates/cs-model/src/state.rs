//! States that several parts of the product name.

/// Makes enumerations whose values are words: in the registry, in files, on the wire and in the
/// console.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone,
            Copy,
            Debug,
            serde::Deserialize,
            Eq,
            Hash,
            Ord,
            PartialEq,
            PartialOrd,
            serde::Serialize,
            ts_rs::TS,
        )]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the registry, in files and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::state::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::state::UnknownWord> {
                match text { $($text => Ok(Self::$variant),)* _ => Err($crate::state::UnknownWord) }
            }
        }
    )*};
}

pub(crate) use words;

/// A text that is none of the words of its kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

words! {
    /// Where an approval request stands.
    ApprovalState {
        /// A person signed; the token has not been used yet.
        Approved = "approved",
        /// A person said no.
        Denied = "denied",
        /// Nobody decided in time, or the signed token ran out before the call came.
        Expired = "expired",
        /// The call ran; the operation token is spent.
        Executed = "executed",
        /// Nobody has decided yet.
        Pending = "pending",
        /// The token was spent but the process died before the upstream answered.
        Unknown = "unknown",
        /// The client, or the end of its session, took the call back.
        Withdrawn = "withdrawn",
    }

    /// How an agent proves itself.
    CredentialKind {
        /// An API key whose holder signs each request (RFC 9421, HMAC-SHA256).
        ApiKey = "api_key",
        /// A certificate that its holder shows when it connects (mutual TLS, RFC 8705).
        Certificate = "certificate",
        /// A client of the gateway's own token issuer (OAuth 2.1, client credentials).
        Client = "client",
        /// A subject of one of the tenant's identity providers, known by its access tokens.
        External = "external",
    }

    /// Whether a credential may be used.
    CredentialState {
        /// It may.
        Active = "active",
        /// It ran out.
        Expired = "expired",
        /// It was withdrawn for good.
        Revoked = "revoked",
        /// Its session was ended by an operator, who has to release it first.
        Suspended = "suspended",
    }

    /// What a list of credentials is sorted by.
    CredentialOrder {
        /// The name of the agent, and of one agent the newest first.
        Agent = "agent",
        /// When it was issued.
        Created = "created",
        /// When it ends.
        Ends = "ends",
        /// When something happens to it by itself; what nothing happens to comes last.
        Next = "next",
        /// When it was last used; what never was comes last.
        Used = "used",
    }

    /// Where in its life a credential is. Each is in one stage, the first of these that it meets:
    /// revoked, suspended, expired, waiting, overlapping, unused, expiring, active.
    CredentialStage {
        /// It may be used, and nothing else is to be said of it.
        Active = "active",
        /// It ran out.
        Expired = "expired",
        /// It may be used, and the last of its life has begun.
        Expiring = "expiring",
        /// It may be used until it makes way for the one that takes its place.
        Overlapping = "overlapping",
        /// It was withdrawn for good.
        Revoked = "revoked",
        /// Its session was ended by an operator, who has to release it first.
        Suspended = "suspended",
        /// It may be used, and nobody has for as long as is an alert.
        Unused = "unused",
        /// It takes the place of another, and its holder has not come for it.
        Waiting = "waiting",
    }

    /// What a key of the gateway's own token issuer is for.
    IssuerKeyState {
        /// It is published, so that everybody knows it by the time it signs.
        Next = "next",
        /// It signs no more, and stays published until the last token that it signed has ended.
        Retiring = "retiring",
        /// It signs.
        Signing = "signing",
    }

    /// What a person may do in the console.
    OperatorRole {
        /// Sign or deny waiting calls.
        Approver = "approver",
        /// Look at everything, change nothing.
        Auditor = "auditor",
        /// All of it, operators included.
        Owner = "owner",
        /// Change tenants, agents, roles, tasks, servers and the matrix.
        PolicyEditor = "policy_editor",
    }

    /// Why an operator has another key now.
    KeyEnd {
        /// Another owner gave them a new one, because their passphrase was lost.
        Recovered = "recovered",
        /// They made a new one themselves.
        Rotated = "rotated",
    }

    /// Why a session is over.
    SessionEnd {
        /// The client said so (DELETE).
        Client = "client",
        /// Its credential was revoked, suspended or ran out.
        Credential = "credential",
        /// Its time was up.
        Expired = "expired",
        /// An operator ended it.
        Operator = "operator",
    }

    /// Whether a tenant or an agent may act at all.
    Standing {
        /// It may.
        Active = "active",
        /// An operator suspended it.
        Suspended = "suspended",
    }
}
