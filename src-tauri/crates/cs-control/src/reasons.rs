//! Why callers are not recognised, in words for a person.

mod requests;

use cs_trust::PeerError;
use cs_trust::token::TokenError;

/// The codes of the gateway's listener and first gate, and what they mean. Those of certificates
/// are [`PeerError`]'s own.
const WORDS: &[(&str, &str)] = &[
    ("agent_claim_missing", "The token lacks the claim that says who it is"),
    ("agent_rate", "The agent has made as many calls as it may in this time"),
    ("agent_too_many_waiting", "As many calls of the agent wait for a person as may"),
    ("asked", "An operator asked for it"),
    ("assertion_missing", "The client signs assertions, and came without one"),
    ("authorization_details_invalid", "The `authorization_details` cannot be read"),
    ("authorization_malformed", "The `Authorization` header cannot be read"),
    ("authorization_scheme", "The `Authorization` header has a scheme that is not taken here"),
    ("body_invalid", "The form cannot be read, or a parameter stands there twice"),
    ("certificate_binding", "The token is bound to another certificate than the connection's"),
    ("certificate_names_another", "The certificate names another agent than it was issued to"),
    ("certificate_not_shown", "The client proves itself by a certificate, and showed none"),
    ("certificate_of_another", "The connection's certificate is another agent's"),
    ("certificate_unknown", "The certificate was not issued here"),
    ("client_method_wrong", "The client is registered with another way to prove itself"),
    ("client_mismatch", "The request names two clients"),
    ("client_missing", "The request does not say which client it is from"),
    ("client_secret_wrong", "The client's secret is wrong"),
    ("client_unknown", "The issuer has no such client"),
    ("console_expired", "Its certificate has ended"),
    ("console_handshake", "It showed no certificate of a console, or spoke something else"),
    ("console_handshake_slow", "Its handshake was not made in time"),
    ("console_revoked", "The console was revoked"),
    ("console_too_many", "The console has too many connections"),
    ("console_unknown", "There is no such console, or its operator was removed"),
    ("console_unrecorded", "Nothing could be put on record"),
    ("credential_expired", "The credential has run out"),
    ("credential_over", "The credential is over"),
    ("credential_rate", "Too many requests came with one credential"),
    ("credential_revoked", "The credential was revoked"),
    ("credential_suspended", "The credential is suspended until an operator releases it"),
    ("credential_unknown", "There is no such credential"),
    ("credential_unused", "Nobody has used it for as long as the tenant lets credentials lie"),
    ("definition_refused", "The tool's input schema cannot be held against arguments"),
    ("digest_mismatch", "The body is not the one that was signed"),
    ("due", "It was due"),
    ("grant_missing", "The request does not say which grant it wants"),
    ("grant_unsupported", "The issuer knows no grant but `client_credentials`"),
    ("housekeeping_halted", "Housekeeping stands still until somebody has looked"),
    ("insufficient_scope", "The token lacks a scope that the operation takes"),
    ("introspection_busy", "Too many questions about tokens were under way"),
    ("introspection_failed", "The identity provider could not be asked about the token"),
    ("introspection_impossible", "The identity provider cannot be asked about tokens"),
    ("introspection_malformed", "The identity provider's answer about the token cannot be read"),
    (
        "introspection_mismatch",
        "The identity provider says something else of the token than the token itself",
    ),
    ("introspection_secret", "The secret for asking the identity provider is missing"),
    ("issuer_key_revoked", "The key that signed the token was revoked"),
    ("issuer_revoked", "All tokens of the issuer up to a moment were revoked"),
    ("issuer_unknown", "No identity provider of the tenant has the token's issuer"),
    ("network_not_allowed", "The credential may not be used from this address"),
    ("no_credential", "Nothing was presented"),
    ("overlap_ended", "Its overlap with the one that took its place has ended"),
    ("proof_missing", "The token is bound to a key, and the proof of it is missing"),
    (
        "provider_unreachable",
        "The identity provider cannot be reached, and its keys are not known or too old",
    ),
    ("rate_limited", "Too many requests came from one client or address"),
    ("renewal_takes_a_key", "Only the holder of an API key can fetch its successor"),
    ("replaced_again", "The one that took its place is being replaced itself"),
    ("replaced_now", "An operator had it end at once"),
    ("replay", "A signed request was sent a second time"),
    ("request_unsignable", "The request cannot be one that was signed"),
    ("resource_invalid", "The `resource` is no MCP endpoint of the tenant"),
    ("resource_missing", "The request does not say which endpoint the token is for"),
    ("resource_several", "The request names several endpoints"),
    ("role_claim_missing", "The token lacks the claim with its roles"),
    ("role_not_assigned", "The token claims a role that its agent does not have here"),
    ("role_unknown", "The token claims a role that does not exist here"),
    ("rolled_back", "An operator took the replacement back"),
    ("rotation_failed", "It could not be replaced"),
    ("scope_invalid", "A scope was asked for that the client may not have"),
    ("scope_missing", "The token lacks a scope that the tool takes"),
    ("secret_in_arguments", "The arguments would have given a key or a signature away"),
    ("several_credentials", "Several credentials were sent with one request"),
    ("several_methods", "A request tried to prove itself by two methods at once"),
    ("several_proofs", "Several proofs were sent with one request"),
    ("signature_incomplete", "A part of the signature is missing or stands there twice"),
    ("signature_invalid", "The signature is wrong"),
    ("signature_malformed", "The signature cannot be read"),
    ("signature_stale", "The signature is too old, or from the future"),
    ("subject_revoked", "All tokens of the subject up to a moment were revoked"),
    ("subject_unknown", "No agent is registered as the token's subject"),
    ("successor_in_use", "The one that takes its place is in use already"),
    ("successor_not_fetched", "Nobody fetched it while the one before it was good"),
    ("successor_over", "The one that takes its place is over"),
    ("successor_used", "The one that takes its place was used"),
    ("task_not_allowed", "A task was asked for that the client may not declare"),
    ("tenant_claim_wrong", "The token is another tenant's"),
    (
        "tls_handshake",
        "The connection was not opened: the client and the gateway could not agree on TLS",
    ),
    ("tls_handshake_slow", "The connection was not opened: the client took too long"),
    (
        "tls_handshakes_not_recorded",
        "More handshakes failed in one minute than are put on record; of the rest there is a count",
    ),
    (
        "tls_too_many_failures",
        "So many handshakes of one address failed that it has to wait for the next minute",
    ),
    ("token_expired", "The token has expired"),
    ("token_inactive", "The identity provider says that the token does not hold"),
    ("token_missing", "The request names no token"),
    ("token_not_bound", "The token is not bound to what its provider's settings want"),
    ("token_of_another", "The token was issued to another client"),
    ("token_revoked", "The token was revoked"),
    ("too_many_failures", "Too many attempts from the address failed before"),
    ("too_many_waiting", "Too many calls of the session wait for a person already"),
    ("tool_rate", "The agent has called the tool as often as it may in this time"),
    ("unexpected_authorization", "An `Authorization` header was sent beside another credential"),
    ("unknown", "No reason is on record"),
    ("wrong_tenant", "The credential belongs to another tenant than the address"),
];

/// What a code means, in words; the code itself, with spaces, where there are none.
pub(crate) fn words(code: &str) -> String {
    let denial = cs_policy::Deny::ALL.iter().find(|deny| deny.code() == code);
    if let Some(deny) = denial {
        return deny.sentence().trim_end_matches('.').to_owned();
    }
    if let Some(wrong) = TokenError::ALL.iter().find(|wrong| wrong.code() == code) {
        return sentence(&wrong.to_string());
    }
    if code == SPIFFE {
        return "The certificate's name is not one that an agent has here".to_owned();
    }
    if let Some(wrong) = PeerError::ALL.iter().find(|wrong| wrong.code() == code) {
        return sentence(&wrong.to_string());
    }
    let mut all = WORDS.iter().chain(requests::WORDS);
    let known = all.find(|(known, _)| *known == code);
    known.map_or_else(|| code.replace('_', " "), |(_, words)| (*words).to_owned())
}

/// The code of several errors, of which the log does not keep apart which.
const SPIFFE: &str = "certificate_spiffe_id";

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_meaning_and_they_are_in_order() {
        for table in [WORDS, requests::WORDS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
            for (code, meaning) in table {
                assert_eq!(words(code), *meaning, "{code}");
            }
        }
        for end in ["client", "credential", "expired", "operator"] {
            assert_ne!(words(end), end, "a session that ended says why");
        }
        assert_eq!(words("something_else"), "something else");
        assert_eq!(words("jwt_expired"), "The token has expired");
    }

    #[test]
    fn m09_every_reason_why_a_handshake_fails_has_words() {
        let own = ["tls_handshake", "tls_handshake_slow", "tls_too_many_failures"];
        let codes = PeerError::ALL.iter().map(|it| it.code()).chain(own);
        for code in codes {
            let words = words(code);
            assert_ne!(words, code.replace('_', " "), "{code}");
            assert!(words.starts_with(|c: char| c.is_ascii_uppercase()), "{words}");
            assert!(!words.contains('_'), "{words}");
        }
    }
}
