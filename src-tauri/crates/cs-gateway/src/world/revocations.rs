//! Tokens and outside certificates that were withdrawn before their time.

use std::collections::{HashMap, HashSet};

use cs_model::revocation::Revoked;
use cs_model::{AuthorityId, TenantId, Timestamp};

/// Everything that was withdrawn, by tenant and issuer. One look-up answers for a token.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    by_tenant: HashMap<TenantId, HashMap<String, OfIssuer>>,
    certificates: HashMap<(TenantId, AuthorityId), HashSet<String>>,
}

#[derive(Clone, Debug, Default)]
struct OfIssuer {
    tokens: HashSet<String>,
    keys: HashSet<String>,
    subjects: HashMap<String, Timestamp>,
    until: Option<Timestamp>,
}

/// What of a token a revocation may name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'t> {
    /// Its `iss`.
    pub issuer: &'t str,
    /// Its `jti`, or the SHA-256 of its text.
    pub id: &'t str,
    /// The `kid` that it names.
    pub key_id: Option<&'t str>,
    /// Its subject, as the provider's claim map finds it.
    pub subject: &'t str,
    /// The earliest moment at which it may have been issued, by the clock of who withdraws.
    pub issued: Timestamp,
}

impl Revocations {
    /// Takes a revocation in.
    pub fn insert(&mut self, tenant: TenantId, what: Revoked) {
        let of_tenant = self.by_tenant.entry(tenant).or_default();
        match what {
            Revoked::Certificate { authority, serial } => {
                self.certificates.entry((tenant, authority)).or_default().insert(serial);
            }
            Revoked::Token { issuer, id } => {
                of_tenant.entry(issuer).or_default().tokens.insert(id);
            }
            Revoked::Key { issuer, key_id } => {
                of_tenant.entry(issuer).or_default().keys.insert(key_id);
            }
            Revoked::Subject { issuer, subject, until } => {
                let subjects = &mut of_tenant.entry(issuer).or_default().subjects;
                let latest = subjects.entry(subject).or_insert(until);
                *latest = until.max(*latest);
            }
            Revoked::Issuer { issuer, until } => {
                let latest = &mut of_tenant.entry(issuer).or_default().until;
                *latest = (*latest).max(Some(until));
            }
        }
    }

    /// Whether a certificate of an outside authority was withdrawn.
    pub fn has_certificate(&self, tenant: TenantId, authority: AuthorityId, serial: &str) -> bool {
        self.certificates.get(&(tenant, authority)).is_some_and(|it| it.contains(serial))
    }

    /// Whether a token was withdrawn: a short code for the log.
    pub fn of(&self, tenant: TenantId, token: Named<'_>) -> Option<&'static str> {
        let found = self.by_tenant.get(&tenant)?.get(token.issuer)?;
        if found.tokens.contains(token.id) {
            Some("token_revoked")
        } else if token.key_id.is_some_and(|it| found.keys.contains(it)) {
            Some("issuer_key_revoked")
        } else if found.subjects.get(token.subject).is_some_and(|until| token.issued <= *until) {
            Some("subject_revoked")
        } else if found.until.is_some_and(|until| token.issued <= until) {
            Some("issuer_revoked")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j15_j17_each_dimension_revokes_its_own_tokens_and_no_others() {
        let (one, other) = (TenantId::from_random([1; 16]), TenantId::from_random([2; 16]));
        let at = Timestamp::from_secs;
        let issuer = || "https://a.example".to_owned();
        let token = Named {
            issuer: "https://a.example",
            id: "t1",
            key_id: Some("k1"),
            subject: "robin",
            issued: at(100),
        };
        let cases = [
            (Revoked::Token { issuer: issuer(), id: "t1".into() }, "token_revoked"),
            (Revoked::Key { issuer: issuer(), key_id: "k1".into() }, "issuer_key_revoked"),
            (
                Revoked::Subject { issuer: issuer(), subject: "robin".into(), until: at(100) },
                "subject_revoked",
            ),
            (Revoked::Issuer { issuer: issuer(), until: at(100) }, "issuer_revoked"),
        ];
        for (what, code) in cases {
            let mut revocations = Revocations::default();
            revocations.insert(one, what);
            assert_eq!(revocations.of(one, token), Some(code));
            assert_eq!(revocations.of(other, token), None, "{code}: another tenant");
            let elsewhere = Named { issuer: "https://b.example", ..token };
            assert_eq!(revocations.of(one, elsewhere), None, "{code}: another issuer");
            let next = Named {
                id: "t2",
                key_id: Some("k2"),
                subject: if code == "issuer_revoked" { "robin" } else { "eve" },
                issued: at(101),
                ..token
            };
            assert_eq!(revocations.of(one, next), None, "{code}: another token");
        }
    }

    #[test]
    fn m03_a_serial_number_is_revoked_at_one_authority_of_one_tenant() {
        let (one, other) = (TenantId::from_random([1; 16]), TenantId::from_random([2; 16]));
        let [own, another] = [[3; 16], [4; 16]].map(AuthorityId::from_random);
        let mut revocations = Revocations::default();
        let serial = "5a01".to_owned();
        revocations.insert(one, Revoked::Certificate { authority: own, serial });
        assert!(revocations.has_certificate(one, own, "5a01"));
        assert!(!revocations.has_certificate(one, own, "5a02"));
        assert!(!revocations.has_certificate(one, another, "5a01"));
        assert!(!revocations.has_certificate(other, own, "5a01"));
    }

    #[test]
    fn an_earlier_moment_does_not_undo_a_later_one() {
        let tenant = TenantId::from_random([1; 16]);
        let mut revocations = Revocations::default();
        for until in [200, 100] {
            let until = Timestamp::from_secs(until);
            revocations.insert(tenant, Revoked::Issuer { issuer: "i".into(), until });
            let what = Revoked::Subject { issuer: "j".into(), subject: "s".into(), until };
            revocations.insert(tenant, what);
        }
        let issued = Timestamp::from_secs(150);
        for issuer in ["i", "j"] {
            let token = Named { issuer, id: "t", key_id: None, subject: "s", issued };
            assert!(revocations.of(tenant, token).is_some(), "{issuer}");
        }
    }
}
