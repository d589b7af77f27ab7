//! Alerts: the rules that raise them, and the numbers in those rules that a tenant can set.
//!
//! What makes a rule fire is in `cs-audit`; here is only what each is called.

use crate::Timestamp;
use crate::state::words;

words! {
    /// What an alert is about, by the classes of the catalogue of attacks.
    AlertClass {
        /// Credential abuse.
        Credential = "AL1",
        /// An authorisation violation: tenant, allowlist, task, drift.
        Authorisation = "AL2",
        /// Integrity: the log, the clock, the store, an identity provider.
        Integrity = "AL4",
    }

    /// A rule that raises alerts.
    AlertRule {
        /// Too many sign-ins as one agent were refused in a short time.
        AuthnFailures = "authn_failures",
        /// The clock of the machine was set.
        ClockMoved = "clock_moved",
        /// A credential was not used for long after it was issued.
        CredentialUnused = "credential_unused",
        /// An owner signed alone for a call that asks for more.
        GlassBroken = "glass_broken",
        /// Too many attempts outside the allowlist in one session.
        Incident = "incident",
        /// The log, or the registry that holds it, is not what it was.
        IntegrityFailed = "integrity_failed",
        /// An attempt outside the session's allowlist.
        OutsideAllowlist = "outside_allowlist",
        /// Nobody knows whether a call was made that somebody signed for.
        OutcomeUnknown = "outcome_unknown",
        /// An identity provider cannot be reached.
        ProviderDown = "provider_down",
        /// A credential could not be replaced, and goes on to its end.
        RotationFailed = "rotation_failed",
        /// A session lasts longer than its task is expected to take.
        SessionOverlong = "session_overlong",
        /// Less is asked of those who sign calls than before.
        SigningLoosened = "signing_loosened",
        /// A server publishes another definition of a tool than the accepted one.
        ToolDrift = "tool_drift",
    }

    /// How much an alert asks of people.
    AlertSeverity {
        /// Somebody should look.
        Alert = "alert",
        /// Somebody has to look now.
        Incident = "incident",
    }

    /// Whether somebody has looked.
    AlertState {
        /// Somebody has, and said so.
        Acknowledged = "acknowledged",
        /// Nobody has said so yet.
        Open = "open",
    }
}

/// A number in a rule that a tenant can set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// What it is unless somebody sets it.
    pub default: u32,
    /// The least that it can be.
    pub least: u32,
    /// The most that it can be.
    pub most: u32,
}

impl Limit {
    const fn new(default: u32, least: u32, most: u32) -> Self {
        Self { default, least, most }
    }

    /// Whether it can be this.
    pub const fn takes(self, number: u32) -> bool {
        self.least <= number && number <= self.most
    }
}

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

impl AlertRule {
    /// What its alerts are about.
    pub const fn class(self) -> AlertClass {
        match self {
            Self::AuthnFailures | Self::CredentialUnused | Self::RotationFailed => {
                AlertClass::Credential
            }
            Self::GlassBroken
            | Self::Incident
            | Self::OutcomeUnknown
            | Self::OutsideAllowlist
            | Self::SessionOverlong
            | Self::SigningLoosened
            | Self::ToolDrift => AlertClass::Authorisation,
            Self::ClockMoved | Self::IntegrityFailed | Self::ProviderDown => AlertClass::Integrity,
        }
    }

    /// How much its alerts ask of people.
    pub const fn severity(self) -> AlertSeverity {
        match self {
            Self::Incident | Self::IntegrityFailed => AlertSeverity::Incident,
            Self::AuthnFailures
            | Self::ClockMoved
            | Self::CredentialUnused
            | Self::GlassBroken
            | Self::OutcomeUnknown
            | Self::OutsideAllowlist
            | Self::ProviderDown
            | Self::RotationFailed
            | Self::SessionOverlong
            | Self::SigningLoosened
            | Self::ToolDrift => AlertSeverity::Alert,
        }
    }

    /// What its alerts are called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::AuthnFailures => "Repeated authentication failures",
            Self::ClockMoved => "The clock was set",
            Self::CredentialUnused => "Credential never used",
            Self::GlassBroken => "Glass broken: an owner signed alone",
            Self::Incident => "Incident: many attempts in one session",
            Self::IntegrityFailed => "The log or the registry is not what it was",
            Self::OutsideAllowlist => "Attempt outside the allowlist",
            Self::OutcomeUnknown => "Outcome of a signed call unknown",
            Self::ProviderDown => "Identity provider down",
            Self::RotationFailed => "Credential not replaced",
            Self::SessionOverlong => "Session longer than expected",
            Self::SigningLoosened => "Less asked of those who sign",
            Self::ToolDrift => "Tool changed",
        }
    }

    /// Whether it is about the whole installation rather than one tenant.
    pub const fn is_everywhere(self) -> bool {
        matches!(self, Self::ClockMoved | Self::IntegrityFailed)
    }

    /// The number at which it fires, where it has one: failures that are still fine, attempts
    /// that are an incident, days without use, percent of the expected run time.
    pub const fn threshold(self) -> Option<Limit> {
        match self {
            Self::AuthnFailures => Some(Limit::new(3, 1, 100)),
            Self::CredentialUnused => Some(Limit::new(15, 1, 365)),
            Self::Incident => Some(Limit::new(5, 2, 100)),
            // Less than all of it would not be longer than expected.
            Self::SessionOverlong => Some(Limit::new(100, 100, 1000)),
            Self::ClockMoved
            | Self::GlassBroken
            | Self::IntegrityFailed
            | Self::OutcomeUnknown
            | Self::OutsideAllowlist
            | Self::ProviderDown
            | Self::RotationFailed
            | Self::SigningLoosened
            | Self::ToolDrift => None,
        }
    }

    /// In how many seconds the number has to come together, where that matters.
    pub const fn window(self) -> Option<Limit> {
        match self {
            Self::AuthnFailures => Some(Limit::new(60, 10, HOUR)),
            Self::ClockMoved
            | Self::CredentialUnused
            | Self::GlassBroken
            | Self::Incident
            | Self::IntegrityFailed
            | Self::OutcomeUnknown
            | Self::OutsideAllowlist
            | Self::ProviderDown
            | Self::RotationFailed
            | Self::SessionOverlong
            | Self::SigningLoosened
            | Self::ToolDrift => None,
        }
    }

    /// How many seconds after its last occasion the same is still the same alert, while nobody
    /// has acknowledged it.
    pub const fn repeat(self) -> Limit {
        let default = match self {
            Self::SessionOverlong | Self::CredentialUnused => DAY,
            Self::AuthnFailures
            | Self::ClockMoved
            | Self::GlassBroken
            | Self::Incident
            | Self::IntegrityFailed
            | Self::OutcomeUnknown
            | Self::OutsideAllowlist
            | Self::ProviderDown
            | Self::RotationFailed
            | Self::SigningLoosened
            | Self::ToolDrift => HOUR,
        };
        Limit::new(default, 60, 7 * DAY)
    }

    /// Whether what it is about can be cut off when it fires.
    pub const fn can_contain(self) -> bool {
        matches!(self, Self::Incident)
    }
}

/// How one rule is set for one tenant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AlertSettings {
    /// The number at which it fires; zero where the rule has none.
    pub threshold: u32,
    /// In how many seconds the number has to come together; zero where that does not matter.
    pub window_secs: u32,
    /// How many seconds after its last occasion the same is still the same alert.
    pub repeat_secs: u32,
    /// Whether what it is about is cut off when it fires.
    pub contain: bool,
    /// Until when it is muted.
    pub muted_until: Option<Timestamp>,
}

impl AlertSettings {
    /// How a rule is set unless somebody sets it.
    pub fn default_of(rule: AlertRule) -> Self {
        let number = |limit: Option<Limit>| limit.map_or(0, |it| it.default);
        Self {
            threshold: number(rule.threshold()),
            window_secs: number(rule.window()),
            repeat_secs: rule.repeat().default,
            contain: false,
            muted_until: None,
        }
    }

    /// Whether it is muted at a moment.
    pub fn is_muted(&self, at: Timestamp) -> bool {
        self.muted_until.is_some_and(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_field_have_its_numbers() {
        let of = |rule| {
            let it = AlertSettings::default_of(rule);
            (it.threshold, it.window_secs, it.contain)
        };
        assert_eq!(of(AlertRule::AuthnFailures), (3, 60, false));
        assert_eq!(of(AlertRule::CredentialUnused), (15, 0, false));
        assert_eq!(of(AlertRule::SessionOverlong), (100, 0, false));
        assert_eq!(of(AlertRule::Incident), (5, 0, false));
    }

    #[test]
    fn every_default_is_one_that_could_be_set() {
        for rule in AlertRule::ALL {
            let limits = [rule.threshold(), rule.window(), Some(rule.repeat())];
            for limit in limits.into_iter().flatten() {
                assert!(limit.takes(limit.default) && limit.least > 0, "{rule}");
                assert!(!limit.takes(limit.least - 1) && !limit.takes(limit.most + 1), "{rule}");
            }
        }
    }

    #[test]
    fn a_mute_has_an_end() {
        let mut settings = AlertSettings::default_of(AlertRule::Incident);
        assert!(!settings.is_muted(Timestamp::from_secs(0)));
        settings.muted_until = Some(Timestamp::from_secs(10));
        assert!(settings.is_muted(Timestamp::from_millis(9_999)));
        assert!(!settings.is_muted(Timestamp::from_secs(10)));
    }
}
