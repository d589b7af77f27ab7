//! SPIFFE IDs: the name that a certificate gives its agent.
//!
//! `spiffe://<trust domain>/tenant/<tenant>/agent/<agent>`, compared byte by byte. There is one way
//! to write an ID: whatever would have to be decoded, folded or normalised first is refused, since
//! two programs that normalise differently see two different agents (attacks M04).

use std::fmt;
use std::str::FromStr;

use cs_model::Name;
use cs_model::name::NameError;

const SCHEME: &str = "spiffe://";

/// Whose names they are: `[a-z0-9._-]`, at most 255 bytes, in dotted parts that begin and end with
/// a letter or a digit (SPIFFE-ID 2.1, and stricter in the parts).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TrustDomain(String);

/// An agent as its certificate names it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SpiffeId {
    /// Whose names they are.
    pub trust_domain: TrustDomain,
    /// The tenant that the agent belongs to.
    pub tenant: Name,
    /// The agent.
    pub agent: Name,
}

/// The agents that one authority may speak for: those of one tenant in one trust domain.
///
/// Its text is `spiffe://<trust domain>/tenant/<tenant>/`, the beginning of the ID of each of them.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SpiffePrefix {
    /// Whose names they are.
    pub trust_domain: TrustDomain,
    /// The one tenant.
    pub tenant: Name,
}

/// A workload as a certificate of an outside authority names it: any SPIFFE ID with a path
/// (SPIFFE-ID 2), written in the one way that there is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WorkloadId(String);

/// The workloads that an outside authority may speak for: those whose ID begins with this.
///
/// It ends with `/`, so that it covers whole parts of a path: `spiffe://e.org/ns/prod/` covers
/// nothing of `ns/production`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WorkloadPrefix(String);

/// Why a text is not a SPIFFE ID of ours. The text itself is not repeated: it may come from an
/// agent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SpiffeError {
    /// The tenant's or the agent's name breaks a rule of names.
    #[error("a name in the ID: {0}")]
    Name(NameError),
    /// It is longer than [`WorkloadId::MOST`].
    #[error("the ID is longer than 255 characters")]
    Long,
    /// It is not `/tenant/<tenant>/agent/<agent>` after the trust domain.
    #[error("the path is not `/tenant/<tenant>/agent/<agent>`")]
    Path,
    /// The path after the trust domain is not one of parts of letters, digits, `.`, `-` and `_`.
    #[error("the path is not parts of letters, digits, `.`, `-` and `_`")]
    Segment,
    /// It does not begin with `spiffe://`.
    #[error("the ID does not begin with `spiffe://`")]
    Scheme,
    /// The trust domain is not one.
    #[error("the trust domain is not lower-case letters, digits, `.`, `-` and `_`")]
    TrustDomain,
}

impl TrustDomain {
    /// The most bytes in a trust domain.
    pub const MOST: usize = 255;

    /// Reads a trust domain.
    ///
    /// # Errors
    ///
    /// [`SpiffeError::TrustDomain`].
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_part = |part: &str| {
            let ends = [part.bytes().next(), part.bytes().next_back()];
            part.bytes().all(|b| plain(b) || b == b'-' || b == b'_')
                && ends.into_iter().all(|end| end.is_some_and(plain))
        };
        if text.len() > Self::MOST || !text.split('.').all(is_part) {
            return Err(SpiffeError::TrustDomain);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SpiffeId {
    /// Reads an ID.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        let (trust_domain, path) = split(text)?;
        let mut parts = path.split('/');
        let (Some("tenant"), Some(tenant), Some("agent"), Some(agent), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SpiffeError::Path);
        };
        Ok(Self { trust_domain, tenant: name(tenant)?, agent: name(agent)? })
    }
}

impl SpiffePrefix {
    /// Reads a prefix.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        let (trust_domain, path) = split(text)?;
        let mut parts = path.split('/');
        let (Some("tenant"), Some(tenant), Some(""), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SpiffeError::Path);
        };
        Ok(Self { trust_domain, tenant: name(tenant)? })
    }

    /// Whether the ID is one of those. Parts are compared whole: `tenant/ac` does not cover
    /// `tenant/acme`.
    pub fn covers(&self, id: &SpiffeId) -> bool {
        self.trust_domain == id.trust_domain && self.tenant == id.tenant
    }
}

impl WorkloadId {
    /// The most characters of one.
    pub const MOST: usize = 255;

    /// Reads an ID.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        if text.len() > Self::MOST {
            return Err(SpiffeError::Long);
        }
        let (_, path) = split(text)?;
        if !path.split('/').all(is_segment) {
            return Err(SpiffeError::Segment);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The agent that it names, where it has the form of the built-in authorities.
    ///
    /// # Errors
    ///
    /// Says which rule of that form it breaks.
    pub fn agent(&self) -> Result<SpiffeId, SpiffeError> {
        SpiffeId::parse(&self.0)
    }
}

impl WorkloadPrefix {
    /// Reads a prefix: `spiffe://<trust domain>/`, and then whole parts of a path.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        if text.len() > WorkloadId::MOST {
            return Err(SpiffeError::Long);
        }
        let (_, path) = split(text)?;
        let parts = path.strip_suffix('/');
        if !path.is_empty() && !parts.is_some_and(|it| it.split('/').all(is_segment)) {
            return Err(SpiffeError::Segment);
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether the ID is one of those.
    pub fn covers(&self, id: &WorkloadId) -> bool {
        id.0.starts_with(&self.0)
    }

    /// Whether one ID could be both this one's and the other's.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a path. `.` and `..` would be normalised away by some.
fn is_segment(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
}

/// The trust domain, and the path without its first `/`.
fn split(text: &str) -> Result<(TrustDomain, &str), SpiffeError> {
    let rest = text.strip_prefix(SCHEME).ok_or(SpiffeError::Scheme)?;
    let (domain, path) = rest.split_once('/').ok_or(SpiffeError::Path)?;
    Ok((TrustDomain::parse(domain)?, path))
}

fn name(text: &str) -> Result<Name, SpiffeError> {
    Name::parse(text).map_err(SpiffeError::Name)
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trust_domain, tenant, agent } = self;
        write!(f, "{SCHEME}{trust_domain}/tenant/{tenant}/agent/{agent}")
    }
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WorkloadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SpiffePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trust_domain, tenant } = self;
        write!(f, "{SCHEME}{trust_domain}/tenant/{tenant}/")
    }
}

macro_rules! from_text {
    ($kind:ident) => {
        impl FromStr for $kind {
            type Err = SpiffeError;

            fn from_str(text: &str) -> Result<Self, SpiffeError> {
                Self::parse(text)
            }
        }
    };
}

from_text!(SpiffeId);
from_text!(SpiffePrefix);
from_text!(TrustDomain);
from_text!(WorkloadId);
from_text!(WorkloadPrefix);

#[cfg(test)]
mod tests;
