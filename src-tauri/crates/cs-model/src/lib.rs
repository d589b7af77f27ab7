//! The vocabulary of Countersign: ids, names, states, claims and the policy document.
//!
//! Everything here is a value. Nothing reads a clock, makes a random number or touches a file:
//! what varies is handed in. Read it in this order: [`id`], [`kind`], [`name`], [`grant`], [`document`],
//! [`event`].

pub mod alert;
pub mod digest;
pub mod document;
pub mod effects;
pub mod event;
pub mod grant;
pub mod id;
pub mod identity;
pub mod json;
pub mod kind;
pub mod lifecycle;
pub mod name;
pub mod op_token;
pub mod passes;
pub mod provider;
pub mod rate;
pub mod revocation;
pub mod secret;
pub mod series;
pub mod serving;
pub mod signing;
pub mod state;
pub mod template;
pub mod text;
pub mod time;
pub mod upstream;
pub mod uri;
pub mod waiting;

pub use digest::Digest;
pub use document::Document;
pub use effects::Effects;
pub use grant::{Condition, Grant, GrantError};
pub use id::{
    AgentId, AlertId, ApprovalId, AuthorityId, ConsoleId, CorrelationId, CredentialId,
    OperationTokenId, OperatorId, ProviderId, RevocationId, RoleId, SeriesId, ServerId, SessionId,
    TaskId, TenantId, ToolId,
};
pub use kind::Kind;
pub use lifecycle::{Lifecycle, LifecycleError};
pub use name::{Name, ToolName};
pub use passes::{Pass, Passes};
pub use rate::{Rate, RateError};
pub use secret::Secret;
pub use signing::{Approvers, Signatory, Signing, SigningError};
pub use time::Timestamp;
pub use uri::UriTemplate;
pub use waiting::{MostWaiting, MostWaitingError};
