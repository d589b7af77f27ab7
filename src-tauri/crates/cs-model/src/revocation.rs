//! Withdrawals of tokens and outside certificates before their time. Credentials have a state of their own.

use serde::{Deserialize, Serialize};

use crate::{AuthorityId, Timestamp};

/// What is withdrawn.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Revoked {
    /// One certificate of an outside authority.
    Certificate {
        /// The authority.
        authority: AuthorityId,
        /// Its serial number, in lower-case hexadecimal digits without a leading zero byte.
        serial: String,
    },
    /// One token of an issuer, by its `jti`, or by the SHA-256 of its text where it has none.
    Token {
        /// Its `iss`.
        issuer: String,
        /// Its id.
        id: String,
    },
    /// Everything that an issuer's key has signed.
    Key {
        /// The `iss`.
        issuer: String,
        /// The `kid`.
        key_id: String,
    },
    /// Everything of one subject that was issued up to a moment, with what may have been as clocks
    /// differ: tokens of the next 30 seconds.
    Subject {
        /// The `iss`.
        issuer: String,
        /// The subject, as the provider's claim map finds it.
        subject: String,
        /// That moment.
        until: Timestamp,
    },
    /// Everything of an issuer that was issued up to a moment, as for a subject.
    Issuer {
        /// The `iss`.
        issuer: String,
        /// That moment.
        until: Timestamp,
    },
}
