//! How long what agents prove themselves with lives, and when something is done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a tenant says of its credentials. What it does not say is as usual, and nothing that it
/// says is looser than the maximum.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// How long a credential lasts at most, in seconds. Unless this is said, what is issued lasts
    /// 72 hours where nobody asks for another time, and 90 days at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lifetime_secs: Option<u32>,
    /// How long after its issue a credential is replaced at the latest. Two thirds of its life are
    /// the latest in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rotate_secs: Option<u32>,
    /// How long the replaced one goes on beside its successor, from the successor's first use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub overlap_secs: Option<u32>,
    /// How long after its issue a credential that was never used is an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub alert_unused_secs: Option<u32>,
    /// How long nobody has used a credential when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub revoke_unused_secs: Option<u32>,
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// A rule that a [`Lifecycle`] breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LifecycleError {
    /// The alert would come after the end of what it is about.
    #[error("a credential that nobody uses is an alert before it is revoked")]
    AlertAfterEnd,
    /// A number is out of its bounds.
    #[error("`{field}` is between {least} and {most} seconds")]
    Bounds {
        /// Which number.
        field: &'static str,
        /// The least that it can be.
        least: u32,
        /// The most that it can be.
        most: u32,
    },
    /// The old one would outlive the lifetime of the new one.
    #[error("the overlap is shorter than the lifetime of a credential")]
    Overlap,
    /// It would be replaced after its end.
    #[error("a credential is replaced before the end of its lifetime")]
    Rotation,
}

impl LifecycleError {
    /// The number that breaks the rule.
    pub const fn field(self) -> &'static str {
        match self {
            Self::AlertAfterEnd => "alert_unused_secs",
            Self::Bounds { field, .. } => field,
            Self::Overlap => "overlap_secs",
            Self::Rotation => "rotate_secs",
        }
    }
}

impl Lifecycle {
    /// The longest life of any credential: 90 days.
    pub const MOST_LIFETIME: u32 = 90 * DAY;
    /// The longest time until a credential is replaced: 90 days.
    pub const MOST_ROTATE: u32 = 90 * DAY;
    /// The longest overlap: seven days.
    pub const MOST_OVERLAP: u32 = 7 * DAY;
    /// The longest time without use before an alert: 15 days.
    pub const MOST_ALERT_UNUSED: u32 = 15 * DAY;
    /// The longest time without use before the end: 30 days.
    pub const MOST_REVOKE_UNUSED: u32 = 30 * DAY;

    const USUAL_LIFETIME: u32 = 72 * HOUR;
    const USUAL_OVERLAP: u32 = 24 * HOUR;

    /// Whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How long what is issued lasts where nobody asks for another time.
    pub fn usual(&self) -> u32 {
        self.lifetime_secs.unwrap_or(Self::USUAL_LIFETIME)
    }

    /// How long a credential lasts at most.
    pub fn longest(&self) -> u32 {
        self.lifetime_secs.unwrap_or(Self::MOST_LIFETIME)
    }

    /// How long after its issue a credential with a life of so many seconds is replaced.
    pub fn rotate_after(&self, life_secs: u64) -> u64 {
        let thirds = life_secs.saturating_mul(2).div_euclid(3);
        thirds.min(u64::from(self.rotate_secs.unwrap_or(Self::MOST_ROTATE)))
    }

    /// How long a replaced one goes on beside its successor.
    pub fn overlap(&self) -> u32 {
        self.overlap_secs.unwrap_or(Self::USUAL_OVERLAP.min(self.usual().div_euclid(3)))
    }

    /// How long after its issue a credential that was never used is an alert.
    pub fn alert_unused(&self) -> u32 {
        self.alert_unused_secs.unwrap_or(Self::MOST_ALERT_UNUSED.min(self.revoke_unused()))
    }

    /// How long nobody has used a credential when it is revoked.
    pub fn revoke_unused(&self) -> u32 {
        self.revoke_unused_secs.unwrap_or(Self::MOST_REVOKE_UNUSED)
    }

    /// Whether every number is one that can be said.
    ///
    /// # Errors
    ///
    /// The first rule that one breaks.
    pub fn check(&self) -> Result<(), LifecycleError> {
        let bounds = [
            ("lifetime_secs", self.lifetime_secs, 5 * MINUTE, Self::MOST_LIFETIME),
            ("rotate_secs", self.rotate_secs, MINUTE, Self::MOST_ROTATE),
            ("overlap_secs", self.overlap_secs, 0, Self::MOST_OVERLAP),
            ("alert_unused_secs", self.alert_unused_secs, HOUR, Self::MOST_ALERT_UNUSED),
            ("revoke_unused_secs", self.revoke_unused_secs, HOUR, Self::MOST_REVOKE_UNUSED),
        ];
        for (field, said, least, most) in bounds {
            if said.is_some_and(|secs| secs < least || secs > most) {
                return Err(LifecycleError::Bounds { field, least, most });
            }
        }
        if self.rotate_secs.is_some_and(|it| it >= self.longest()) {
            return Err(LifecycleError::Rotation);
        }
        if self.overlap() >= self.usual() {
            return Err(LifecycleError::Overlap);
        }
        if self.alert_unused() > self.revoke_unused() {
            return Err(LifecycleError::AlertAfterEnd);
        }
        Ok(())
    }

    /// Whether anything may live longer by it than by another one.
    pub fn is_looser_than(&self, was: &Self) -> bool {
        let rotate = |it: &Self| it.rotate_secs.unwrap_or(u32::MAX);
        let numbers = |it: &Self| {
            [
                it.usual(),
                it.longest(),
                rotate(it),
                it.overlap(),
                it.alert_unused(),
                it.revoke_unused(),
            ]
        };
        numbers(self).iter().zip(numbers(was)).any(|(now, before)| *now > before)
    }
}

/// A length of time in the largest unit that fits evenly.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "min")] {
            let unit = u64::from(unit);
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{} {name}", self.0.div_euclid(unit));
            }
        }
        write!(f, "{} s", self.0)
    }
}

impl fmt::Display for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |secs: u32| Span(u64::from(secs));
        write!(f, "last {} at most, are replaced after two thirds of that", span(self.longest()))?;
        if let Some(secs) = self.rotate_secs {
            write!(f, " or after {}", span(secs))?;
        }
        write!(
            f,
            ", go on beside their successors for {}, are an alert when they were not used for {}, \
             and end when nobody used them for {}",
            span(self.overlap()),
            span(self.alert_unused()),
            span(self.revoke_unused())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Lifecycle, u32);

    fn of(change: impl FnOnce(&mut Lifecycle)) -> Lifecycle {
        let mut it = Lifecycle::default();
        change(&mut it);
        it
    }

    #[test]
    fn the_usual_numbers_are_those_of_the_field() {
        let usual = Lifecycle::default();
        assert_eq!((usual.usual(), usual.longest()), (259_200, 7_776_000));
        assert_eq!((usual.overlap(), usual.rotate_after(259_200)), (86_400, 172_800));
        assert_eq!((usual.alert_unused(), usual.revoke_unused()), (15 * DAY, 30 * DAY));
        assert_eq!(usual.check(), Ok(()));
    }

    #[test]
    fn no_number_can_be_looser_than_its_maximum() {
        let cases: [(&str, Change, u32); 5] = [
            ("lifetime_secs", |it, n| it.lifetime_secs = Some(n), Lifecycle::MOST_LIFETIME),
            ("overlap_secs", |it, n| it.overlap_secs = Some(n), Lifecycle::MOST_OVERLAP),
            ("rotate_secs", |it, n| it.rotate_secs = Some(n), Lifecycle::MOST_ROTATE),
            ("alert_unused_secs", |it, n| it.alert_unused_secs = Some(n), 15 * DAY),
            ("revoke_unused_secs", |it, n| it.revoke_unused_secs = Some(n), 30 * DAY),
        ];
        for (field, set, most) in cases {
            let wrong = of(|it| set(it, most + 1));
            assert_eq!(wrong.check().unwrap_err().field(), field);
            assert_eq!(of(|it| set(it, u32::MAX)).check().unwrap_err().field(), field);
        }
        assert!(of(|it| it.lifetime_secs = Some(299)).check().is_err());
        assert_eq!(of(|it| it.lifetime_secs = Some(Lifecycle::MOST_LIFETIME)).check(), Ok(()));
        let longest = |it: &mut Lifecycle| {
            (it.lifetime_secs, it.overlap_secs) = (Some(8 * DAY), Some(Lifecycle::MOST_OVERLAP));
        };
        assert_eq!(of(longest).check(), Ok(()));
    }

    #[test]
    fn the_numbers_go_together() {
        let cases = [
            (of(|it| it.overlap_secs = Some(72 * HOUR)), LifecycleError::Overlap),
            (
                of(|it| (it.lifetime_secs, it.overlap_secs) = (Some(DAY), Some(DAY))),
                LifecycleError::Overlap,
            ),
            (
                of(|it| (it.lifetime_secs, it.rotate_secs) = (Some(DAY), Some(DAY))),
                LifecycleError::Rotation,
            ),
            (
                of(|it| (it.alert_unused_secs, it.revoke_unused_secs) = (Some(DAY), Some(HOUR))),
                LifecycleError::AlertAfterEnd,
            ),
        ];
        for (wrong, why) in cases {
            assert_eq!(wrong.check(), Err(why));
        }
        assert_eq!(of(|it| it.overlap_secs = Some(0)).check(), Ok(()));
    }

    #[test]
    fn a_credential_is_replaced_within_two_thirds_of_its_life_whatever_is_said() {
        let slow = of(|it| it.rotate_secs = Some(60 * DAY));
        assert_eq!(slow.rotate_after(u64::from(3 * DAY)), u64::from(2 * DAY));
        assert_eq!(slow.rotate_after(u64::from(90 * DAY)), u64::from(60 * DAY));
        let soon = of(|it| it.rotate_secs = Some(HOUR));
        assert_eq!(soon.rotate_after(u64::from(3 * DAY)), u64::from(HOUR));
    }

    #[test]
    fn whatever_lives_longer_is_looser_and_nothing_else_is() {
        let usual = Lifecycle::default();
        assert!(!usual.is_looser_than(&usual));
        let short = of(|it| it.lifetime_secs = Some(DAY));
        assert!(usual.is_looser_than(&short) && !short.is_looser_than(&usual));
        let changes: [(Change, u32, u32); 5] = [
            (|it, n| it.lifetime_secs = Some(n), DAY, 2 * DAY),
            (|it, n| it.rotate_secs = Some(n), HOUR, 2 * HOUR),
            (|it, n| it.overlap_secs = Some(n), HOUR, 2 * HOUR),
            (|it, n| it.alert_unused_secs = Some(n), DAY, 2 * DAY),
            (|it, n| it.revoke_unused_secs = Some(n), 16 * DAY, 17 * DAY),
        ];
        for (set, less, more) in changes {
            let (tight, loose) = (of(|it| set(it, less)), of(|it| set(it, more)));
            assert!(loose.is_looser_than(&tight), "{loose:?}");
            assert!(!tight.is_looser_than(&loose), "{tight:?}");
        }
        assert!(usual.is_looser_than(&of(|it| it.rotate_secs = Some(DAY))));
    }
}
