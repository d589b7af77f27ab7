//! Who asks, and what that lets them do.

use cs_model::state::OperatorRole;
use cs_model::{CorrelationId, OperatorId, event};

/// Who asks for something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Actor {
    /// The user of the operating system who runs the command line on this home. Has an owner's
    /// rights, but signing a waiting call still takes an operator's passphrase.
    Local {
        /// The user's number, where the system has one.
        uid: Option<u32>,
    },
    /// Somebody in front of a locked console.
    Nobody,
    /// An operator who unlocked the console, or gave the passphrase with the command.
    Operator {
        /// Which one.
        id: OperatorId,
        /// What they may do.
        role: OperatorRole,
    },
}

impl Actor {
    /// The operator, if it is one.
    pub const fn operator(self) -> Option<OperatorId> {
        match self {
            Self::Operator { id, .. } => Some(id),
            Self::Local { .. } | Self::Nobody => None,
        }
    }

    /// Whether they are shown what agents send: whoever decides on calls, and whoever looks after
    /// what was decided. To change the policy it takes no look into anybody's mail.
    pub const fn sees_payloads(self) -> bool {
        match self {
            Self::Local { .. } => true,
            Self::Nobody => false,
            Self::Operator { role, .. } => match role {
                OperatorRole::Approver | OperatorRole::Auditor | OperatorRole::Owner => true,
                OperatorRole::PolicyEditor => false,
            },
        }
    }

    /// Who the audit log says it was.
    pub const fn on_record(self) -> event::Actor {
        match self {
            Self::Local { uid } => event::Actor::Local { uid },
            Self::Nobody => event::Actor::Local { uid: None },
            Self::Operator { id, .. } => event::Actor::Operator { id },
        }
    }
}

/// What a command needs of whoever asks for it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Permission {
    /// To sign or deny waiting calls, and to say that an alert was looked at: owners and
    /// approvers.
    Decide,
    /// To change what is enforced: owners and policy editors.
    Edit,
    /// Nothing: what a locked console can ask.
    Knock,
    /// To look: every operator.
    Look,
    /// To make and remove operators: owners.
    Own,
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] = &[Self::Decide, Self::Edit, Self::Knock, Self::Look, Self::Own];

    /// Whether somebody has it.
    pub const fn is_held_by(self, actor: Actor) -> bool {
        match actor {
            Actor::Local { .. } => true,
            Actor::Nobody => matches!(self, Self::Knock),
            Actor::Operator { role, .. } => self.comes_with(role),
        }
    }

    const fn comes_with(self, role: OperatorRole) -> bool {
        match role {
            OperatorRole::Owner => true,
            OperatorRole::Approver => matches!(self, Self::Decide | Self::Knock | Self::Look),
            OperatorRole::Auditor => matches!(self, Self::Knock | Self::Look),
            OperatorRole::PolicyEditor => matches!(self, Self::Edit | Self::Knock | Self::Look),
        }
    }
}

/// One command's caller: who asks, and what ties the answer to the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Who asks.
    pub actor: Actor,
    /// What the answer, the audit events and the log lines share.
    pub correlation: CorrelationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_design_gives_it_and_no_more() {
        let rights = |role| {
            let actor = Actor::Operator { id: OperatorId::from_random([1; 16]), role };
            Permission::ALL.iter().copied().filter(|it| it.is_held_by(actor)).collect::<Vec<_>>()
        };
        use Permission::{Decide, Edit, Knock, Look, Own};
        assert_eq!(rights(OperatorRole::Owner), [Decide, Edit, Knock, Look, Own]);
        assert_eq!(rights(OperatorRole::Approver), [Decide, Knock, Look]);
        assert_eq!(rights(OperatorRole::PolicyEditor), [Edit, Knock, Look]);
        assert_eq!(rights(OperatorRole::Auditor), [Knock, Look]);
    }

    #[test]
    fn what_agents_send_is_for_those_who_decide_and_for_auditors() {
        let sees =
            |role| Actor::Operator { id: OperatorId::from_random([1; 16]), role }.sees_payloads();
        assert!(sees(OperatorRole::Owner));
        assert!(sees(OperatorRole::Approver));
        assert!(sees(OperatorRole::Auditor));
        assert!(!sees(OperatorRole::PolicyEditor));
        assert!(!Actor::Nobody.sees_payloads());
    }

    #[test]
    fn a_locked_console_can_do_nothing_but_knock() {
        for permission in Permission::ALL {
            let may = permission.is_held_by(Actor::Nobody);
            assert_eq!(may, *permission == Permission::Knock, "{permission:?}");
        }
    }
}
