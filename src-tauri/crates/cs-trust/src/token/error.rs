//! Why a token is not believed.

/// Why a token, or an assertion of the same form, is not believed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum TokenError {
    /// Its algorithm is not among those of the issuer.
    #[error("the token's algorithm is not accepted from its issuer")]
    AlgorithmRefused,
    /// Its algorithm is missing, `none`, a MAC or unknown.
    #[error("the token's algorithm is not one for public signatures")]
    AlgorithmUnknown,
    /// `aud` is missing or not a text or a list of texts.
    #[error("the token does not say what it is for")]
    AudienceInvalid,
    /// `aud` names more than what it is presented to.
    #[error("the token is for several endpoints at once")]
    AudienceSeveral,
    /// `aud` is something else.
    #[error("the token is for another endpoint")]
    AudienceWrong,
    /// `client_id` is not a plain text.
    #[error("the token's client is not a plain text")]
    ClientInvalid,
    /// `cnf` is malformed or has a member that is not understood.
    #[error("the token is bound to something that is not understood")]
    ConfirmationInvalid,
    /// `exp` has passed, or is now.
    #[error("the token has expired")]
    Expired,
    /// `exp` is missing or not a whole number of seconds.
    #[error("the token does not say when it expires")]
    ExpiryInvalid,
    /// It is not three parts in canonical base64url.
    #[error("this is not a signed token in compact form")]
    Form,
    /// Its header is not JSON with only the members that are allowed.
    #[error("the token's header has a member that is not accepted")]
    Header,
    /// `jti` is not a plain text, or is missing where it has to be there.
    #[error("the token's id is missing or not a plain text")]
    IdInvalid,
    /// `iat` is too far ahead of the clock.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `iat` is missing or not a whole number of seconds.
    #[error("the token does not say when it was issued")]
    IssuedInvalid,
    /// `iss` is missing or not a plain text.
    #[error("the token does not say who issued it")]
    IssuerInvalid,
    /// `iss` is somebody else.
    #[error("the token was issued by somebody else")]
    IssuerWrong,
    /// The key that it names is not for its algorithm.
    #[error("the token's key is not for its algorithm")]
    KeyMismatch,
    /// The issuer has no key of that id.
    #[error("the token names a key that its issuer does not have")]
    KeyUnknown,
    /// The time between `iat` and `exp` is nothing, or more than is accepted.
    #[error("the token lasts longer than is accepted")]
    LifetimeTooLong,
    /// `nbf` is not a whole number of seconds.
    #[error("the token's first moment is not a time")]
    NotBeforeInvalid,
    /// `nbf` has not come yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its payload is not one JSON object without duplicates.
    #[error("the token's payload is not a strict JSON object")]
    Payload,
    /// `scope` or `scp` is malformed, or they disagree.
    #[error("the token's scopes are malformed")]
    ScopeInvalid,
    /// The signature was not made over this token with the issuer's key.
    #[error("the token's signature is wrong")]
    SignatureWrong,
    /// It has more than 8 KiB.
    #[error("the token is too long")]
    Size,
    /// `sub` is missing or not a plain text.
    #[error("the token does not say whom it stands for")]
    SubjectInvalid,
    /// The issuer and the subject of an assertion are not the client that presents it.
    #[error("the assertion is not about the client that presents it")]
    SubjectWrong,
    /// The task that it names is malformed, or it names two different ones.
    #[error("the token's task is malformed or contradicts itself")]
    TaskInvalid,
    /// Its `typ` is not one of an access token.
    #[error("the token is of another type")]
    TypeRefused,
}

impl TokenError {
    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::AlgorithmRefused,
        Self::AlgorithmUnknown,
        Self::AudienceInvalid,
        Self::AudienceSeveral,
        Self::AudienceWrong,
        Self::ClientInvalid,
        Self::ConfirmationInvalid,
        Self::Expired,
        Self::ExpiryInvalid,
        Self::Form,
        Self::Header,
        Self::IdInvalid,
        Self::IssuedInFuture,
        Self::IssuedInvalid,
        Self::IssuerInvalid,
        Self::IssuerWrong,
        Self::KeyMismatch,
        Self::KeyUnknown,
        Self::LifetimeTooLong,
        Self::NotBeforeInvalid,
        Self::NotYetValid,
        Self::Payload,
        Self::ScopeInvalid,
        Self::SignatureWrong,
        Self::Size,
        Self::SubjectInvalid,
        Self::SubjectWrong,
        Self::TaskInvalid,
        Self::TypeRefused,
    ];

    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlgorithmRefused => "jwt_algorithm_refused",
            Self::AlgorithmUnknown => "jwt_algorithm_unknown",
            Self::AudienceInvalid => "jwt_audience_invalid",
            Self::AudienceSeveral => "jwt_audience_several",
            Self::AudienceWrong => "jwt_audience_wrong",
            Self::ClientInvalid => "jwt_client_invalid",
            Self::ConfirmationInvalid => "jwt_confirmation_invalid",
            Self::Expired => "jwt_expired",
            Self::ExpiryInvalid => "jwt_expiry_invalid",
            Self::Form => "jwt_malformed",
            Self::Header => "jwt_header_refused",
            Self::IdInvalid => "jwt_id_invalid",
            Self::IssuedInFuture => "jwt_issued_in_future",
            Self::IssuedInvalid => "jwt_issued_invalid",
            Self::IssuerInvalid => "jwt_issuer_invalid",
            Self::IssuerWrong => "jwt_issuer_wrong",
            Self::KeyMismatch => "jwt_key_mismatch",
            Self::KeyUnknown => "jwt_key_unknown",
            Self::LifetimeTooLong => "jwt_lifetime_too_long",
            Self::NotBeforeInvalid => "jwt_not_before_invalid",
            Self::NotYetValid => "jwt_not_yet_valid",
            Self::Payload => "jwt_payload_malformed",
            Self::ScopeInvalid => "jwt_scope_invalid",
            Self::SignatureWrong => "jwt_signature_wrong",
            Self::Size => "jwt_too_long",
            Self::SubjectInvalid => "jwt_subject_invalid",
            Self::SubjectWrong => "jwt_subject_wrong",
            Self::TaskInvalid => "jwt_task_invalid",
            Self::TypeRefused => "jwt_type_refused",
        }
    }
}
