//! Who approves: signing rules, signatures, and the groups that operators are in.

use cs_model::{OperatorId, Signing, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An operator, by name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct OperatorRef {
    /// Their id.
    pub id: OperatorId,
    /// Their name.
    pub name: String,
}

/// A group of operators.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct OperatorGroupView {
    /// Its name.
    pub name: String,
    /// Who is in it, by name.
    pub members: Vec<OperatorRef>,
    /// The tools that ask for it, as `tenant: server/tool`.
    pub tools: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// What a waiting call takes to be signed, and how far that is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SigningView {
    /// What its tool asks for.
    pub rule: Signing,
    /// The name of whoever answers for the agent.
    pub responsible: Option<String>,
    /// Why no series can be signed for such calls; nothing where one can.
    pub no_series: Option<String>,
    /// How many signatures count.
    pub signed: u8,
    /// How many are still to come.
    pub needed: u8,
    /// Every signature, oldest first.
    pub signatures: Vec<SignatureView>,
    /// What whoever looks can do about it; nothing for the command line.
    pub you: Option<SignerView>,
}

/// One operator's signature over a waiting call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SignatureView {
    /// Who signed.
    pub operator: OperatorId,
    /// Their name.
    pub operator_name: String,
    /// When.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
    /// Whether they gave the passphrase for it.
    pub presence: bool,
    /// Whether it counts alone, whatever the tool asks for.
    pub breaks_glass: bool,
    /// Why it does not count; nothing where it does.
    pub fault: Option<String>,
}

/// What an operator can do about a waiting call.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SignerView {
    /// Why they cannot sign it; nothing where they can.
    pub objection: Option<String>,
    /// Whether they can sign alone although it takes more.
    pub may_break_glass: bool,
}
