//! Authorities of others: what the registry has of them, as they are trusted, and how they fare.

use cs_model::Timestamp;
use cs_registry::outside::OutsideAuthority as Kept;
use cs_trust::claimed::CertificateFacts;
use cs_trust::peer::PeerError;
use cs_trust::spiffe::WorkloadPrefix;
use cs_trust::tls::{OutsideAuthority, Owner, TlsError};

use crate::failure::ControlError;
use crate::show;
use crate::view;
use crate::view::certificate::{AuthorityStanding, OutsideAuthorityView, RevocationListView};

/// Reads an authority as it is kept.
pub(crate) fn read(found: &Kept) -> Result<OutsideAuthority, TlsError> {
    let prefix = WorkloadPrefix::parse(&found.prefix);
    let prefix = prefix.map_err(|error| TlsError::Anchor(PeerError::Spiffe(error)))?;
    let owner = Owner { tenant: found.tenant, authority: Some(found.id) };
    OutsideAuthority::read(&found.certificates, &found.lists, &prefix, owner)
}

/// What is wrong with what was handed in of an authority.
pub(crate) fn refused(error: TlsError) -> ControlError {
    let field = match error {
        TlsError::Anchor(PeerError::Spiffe(_)) => "prefix",
        TlsError::Anchor(_) => "pem",
        TlsError::Certificate
        | TlsError::Crl
        | TlsError::CrlForeign
        | TlsError::CrlOlder
        | TlsError::Key
        | TlsError::NoAnchor
        | TlsError::Setup
        | TlsError::TooManyAnchors => "crl",
    };
    ControlError::invalid(field, error.to_string())
}

/// How an authority fares.
pub(crate) fn standing(authority: &OutsideAuthority, now: Timestamp) -> AuthorityStanding {
    let anchors = authority.anchors();
    let over = |until: Timestamp| now.secs() > until.secs();
    if anchors.is_empty() {
        AuthorityStanding::NoList
    } else if anchors.iter().all(|it| over(it.not_after())) {
        AuthorityStanding::Ended
    } else if authority.lists().any(|list| over(list.next_update)) {
        AuthorityStanding::ListExpired
    } else {
        AuthorityStanding::Trusted
    }
}

/// What a person is told of it, where its certificates open nothing.
pub(crate) const fn problem(standing: AuthorityStanding) -> Option<&'static str> {
    match standing {
        AuthorityStanding::Ended => Some("its own certificate has ended, so it opens nothing"),
        AuthorityStanding::ListExpired => Some(
            "a revocation list of it has expired; what it covers opens nothing until there is a newer one",
        ),
        AuthorityStanding::NoList => {
            Some("there is no revocation list of it; it opens nothing until there is one")
        }
        AuthorityStanding::Trusted => None,
    }
}

/// An authority for a person. One that cannot be read any more opens nothing, and says so.
pub(crate) fn view(found: &Kept, credentials: usize, now: Timestamp) -> OutsideAuthorityView {
    let read = read(found);
    let standing = read.as_ref().map_or(AuthorityStanding::NoList, |it| standing(it, now));
    let problem = match &read {
        Ok(it) if !it.unlisted().is_empty() && !it.anchors().is_empty() => {
            let half = "there is no revocation list of one of its certificates; that one opens \
                        nothing";
            Some(half.to_owned())
        }
        Ok(_) => problem(standing).map(str::to_owned),
        Err(error) => Some(error.to_string()),
    };
    let lists = read.iter().flat_map(|it| it.lists()).map(|list| RevocationListView {
        signed: list.this_update,
        until: list.next_update,
        revoked: show::count(list.revoked),
    });
    OutsideAuthorityView {
        id: found.id,
        name: found.name.clone(),
        prefix: found.prefix.clone(),
        standing,
        problem,
        certificates: read.iter().flat_map(|it| it.certificates()).map(facts).collect(),
        lists: lists.collect(),
        listed: found.listed,
        created: found.created,
        credentials: show::count(credentials),
    }
}

/// What is known of a certificate, for a person.
pub(crate) fn facts(of: &CertificateFacts) -> view::serving::CertificateFacts {
    let safe = |text: &str| cs_model::text::neutralise(text, 255);
    view::serving::CertificateFacts {
        subject: safe(&of.subject),
        serial: of.serial.clone(),
        fingerprint: of.fingerprint,
        names: of.names.iter().map(|it| safe(it)).collect(),
        from: of.not_before,
        until: of.not_after,
        authority: safe(&of.issuer),
    }
}
