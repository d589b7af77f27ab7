//! Authorities of others: what is made of what an operator hands in.

use cs_model::{AuthorityId, TenantId};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose as Purpose, IsCa};
use rustls::pki_types::CertificateDer;

use super::*;
use crate::certificate::sample::{Root, authority, listed, uri};
use crate::spiffe::WorkloadPrefix;

fn owner() -> Owner {
    let authority = Some(AuthorityId::from_random([7; 16]));
    Owner { tenant: TenantId::from_random([1; 16]), authority }
}

fn outside(pem: &str, lists: &str, prefix: &str) -> Result<OutsideAuthority, TlsError> {
    OutsideAuthority::read(pem, lists, &WorkloadPrefix::parse(prefix).unwrap(), owner())
}

const PREFIX: &str = "spiffe://example.org/";

fn identify(
    read: &OutsideAuthority,
    chain: &[CertificateDer<'_>],
) -> Result<ChainedPeer, PeerError> {
    let trust = ClientTrust {
        anchors: read.anchors().to_vec(),
        unlisted: read.unlisted().to_vec(),
        required: false,
    };
    AgentVerifier::new(&trust).unwrap().identify(chain, NOW)
}

#[test]
fn m07_a_workload_is_known_with_its_authority_and_may_also_be_a_server() {
    let root = Root::new(|_| ());
    let read = outside(&root.pem(), &root.crl(|_| ()), PREFIX).unwrap();
    let (leaf, _) = root.leaf(|it| {
        it.subject_alt_names = vec![uri("spiffe://example.org/ns/prod/sa/Build")];
        it.extended_key_usages.push(Purpose::ServerAuth);
    });
    let peer = identify(&read, &[leaf.clone().into()]).unwrap();
    assert_eq!(peer.owner, Some(owner()));
    assert_eq!(peer.certificate.spiffe.as_str(), "spiffe://example.org/ns/prod/sa/Build");
    let narrow = outside(&root.pem(), &root.crl(|_| ()), "spiffe://example.org/ns/test/");
    assert_eq!(identify(&narrow.unwrap(), &[leaf.into()]).err(), Some(PeerError::Scope));
    for purpose in [Purpose::ServerAuth, Purpose::Any, Purpose::CodeSigning] {
        let (leaf, _) = root.leaf(|it| it.extended_key_usages = vec![purpose.clone()]);
        assert_eq!(identify(&read, &[leaf.into()]).err(), Some(PeerError::Purpose), "{purpose:?}");
    }
}

#[test]
fn m02_lists_that_are_missing_foreign_forged_or_older_open_nothing() {
    let (root, other) = (Root::new(|_| ()), Root::new(|_| ()));
    let (leaf, _) = root.leaf(|_| ());
    let chain: [CertificateDer<'_>; 1] = [leaf.into()];
    let bare = outside(&root.pem(), "", PREFIX).unwrap();
    assert!(bare.anchors().is_empty());
    assert_eq!(identify(&bare, &chain).err(), Some(PeerError::RevocationUnknown));
    for (name, lists, why) in [
        ("foreign", other.crl(|_| ()), TlsError::CrlForeign),
        ("foreign too", root.crl(|_| ()) + &other.crl(|_| ()), TlsError::CrlForeign),
        ("damaged", "-----BEGIN X509 CRL-----\n".to_owned(), TlsError::Crl),
    ] {
        assert_eq!(outside(&root.pem(), &lists, PREFIX).err(), Some(why), "{name}");
    }
    let numbered = |number: u64| {
        outside(&root.pem(), &root.crl(|it| it.crl_number = number.into()), PREFIX).unwrap()
    };
    let now = numbered(7);
    assert_eq!(numbered(6).follows(&now), Err(TlsError::CrlOlder));
    assert_eq!(bare.follows(&now), Err(TlsError::CrlOlder), "no list is older than any");
    assert_eq!(numbered(7).follows(&now).and(numbered(8).follows(&now)), Ok(()));
    let expired = root.crl(|it| listed(it, NOW.before(DAY), NOW.before(DAY / 2)));
    let expired = outside(&root.pem(), &expired, PREFIX).unwrap();
    assert_eq!(identify(&expired, &chain).err(), Some(PeerError::RevocationExpired));
}

#[test]
fn what_is_no_authority_is_not_taken() {
    let root = Root::new(|_| ());
    let (leaf, _) = root.leaf(|_| ());
    let leaf = crate::certificate::sample::pem_of("CERTIFICATE", &leaf);
    for (pem, why) in [
        (String::new(), PeerError::Malformed),
        ("hello".to_owned(), PeerError::Malformed),
        (leaf.clone(), PeerError::NoAuthority),
        (root.pem() + &leaf, PeerError::NoAuthority),
        (root.pem().repeat(9), PeerError::ChainTooLong),
    ] {
        assert_eq!(outside(&pem, "", PREFIX).err(), Some(TlsError::Anchor(why)));
    }
}

#[test]
fn m11_an_authority_below_a_root_is_known_though_the_client_shows_none_of_it() {
    let root = Root::new(|_| ());
    let below = root.intermediate(|_| ());
    let leaf: CertificateDer<'_> = below.leaf(|_| ()).0.into();
    let (both, lists) = (root.pem() + &below.pem(), root.crl(|_| ()) + &below.crl(|_| ()));
    let read = outside(&both, &lists, PREFIX).unwrap();
    assert_eq!(read.anchors().len(), 1, "only the root is trusted");
    assert!(identify(&read, std::slice::from_ref(&leaf)).is_ok());
    assert!(identify(&read, &[leaf.clone(), below.der().into()]).is_ok());
    // Without the list of the authority in between nobody knows.
    let half = outside(&both, &root.crl(|_| ()), PREFIX).unwrap();
    let refused = identify(&half, std::slice::from_ref(&leaf)).err();
    assert_eq!(refused, Some(PeerError::RevocationUnknown));
    // Without a root, what was handed in is trusted itself.
    let direct = outside(&below.pem(), &below.crl(|_| ()), PREFIX).unwrap();
    assert!(identify(&direct, std::slice::from_ref(&leaf)).is_ok());
    // A root that allows none below it.
    let root = Root::new(|it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let below = root.intermediate(|_| ());
    let leaf: CertificateDer<'_> = below.leaf(|_| ()).0.into();
    let (both, lists) = (root.pem() + &below.pem(), root.crl(|_| ()) + &below.crl(|_| ()));
    let read = outside(&both, &lists, PREFIX).unwrap();
    assert!(identify(&read, &[leaf]).is_err());
}

#[test]
fn m06_of_two_tenants_that_believe_one_authority_each_has_its_own_names() {
    let root = Root::new(|_| ());
    let (leaf, _) = root.leaf(|_| ());
    let list = root.crl(|_| ());
    let other = outside(&root.pem(), &list, "spiffe://example.org/tenant/rival/").unwrap();
    let own = outside(&root.pem(), &list, "spiffe://example.org/tenant/acme/").unwrap();
    let anchors = [other.anchors(), own.anchors()].concat();
    let trust = ClientTrust { anchors, ..ClientTrust::default() };
    let found = AgentVerifier::new(&trust).unwrap().identify(&[leaf.into()], NOW).unwrap();
    assert_eq!(found.owner, Some(owner()));
}

#[test]
fn lists_come_in_two_forms() {
    let list = authority("a").crl(&[], 1, NOW, NOW.after(DAY)).unwrap();
    assert_eq!(lists_in_pem(&list).as_deref(), Some(list.as_str()));
    let bare: String = list.lines().filter(|it| !it.starts_with("-----")).collect();
    let read = lists_in_pem(&bare).unwrap();
    assert!(read.starts_with("-----BEGIN X509 CRL-----\n"), "{read}");
    for text in ["", "  ", "not base64!"] {
        assert_eq!(lists_in_pem(text), None, "{text}");
    }
}
