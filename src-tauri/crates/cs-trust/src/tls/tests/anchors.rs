use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, IsCa, KeyUsagePurpose, SerialNumber,
};

use rustls::pki_types::CertificateRevocationListDer;

use super::*;
use crate::certificate::sample::{listed, pem_of, valid};

fn read(root: &Root, crl: &str) -> Result<Anchor, TlsError> {
    Anchor::read(&root.pem(), crl, prefix("acme"))
}

/// What becomes of a good leaf of this root at this time.
fn identify(root: &Root, crl: &str, now: cs_model::Timestamp) -> Result<ChainedPeer, PeerError> {
    let (leaf, _) = root.leaf(|_| ());
    let anchor = read(root, crl).unwrap();
    AgentVerifier::new(&trusting(vec![anchor])).unwrap().identify(&[leaf.into()], now)
}

#[test]
fn a_good_leaf_is_identified_with_its_authority() {
    let root = Root::new(|_| ());
    let peer = identify(&root, &root.crl(|_| ()), NOW).unwrap();
    assert_eq!(peer.anchor_spki, anchor(&root).spki());
    assert_eq!(peer.certificate.spiffe.agent().unwrap().agent.as_str(), "reader");
}

#[test]
fn m02_n02_an_anchor_without_a_list_of_its_own_cannot_be_made() {
    let root = Root::new(|_| ());
    let same_name = Root::new(|_| ());
    let other = Root::new(|it| {
        it.distinguished_name.push(rcgen::DnType::OrganizationName, "other");
    });
    let list: CertificateRevocationListDer<'_> = certificate::only(&root.crl(|_| ())).unwrap();
    let mut forged = list.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let cut = pem_of("X509 CRL", &list[..list.len() - 1]);
    let forged = pem_of("X509 CRL", &forged);
    let cases: &[(&str, String)] = &[
        ("empty", String::new()),
        ("blank", "\n\n".to_owned()),
        ("not a list", "hello".to_owned()),
        ("a certificate", root.pem()),
        ("cut short", cut),
        ("forged", forged),
        ("another's", other.crl(|_| ())),
        ("another's of the same name", same_name.crl(|_| ())),
        ("own and damaged", format!("{}-----BEGIN X509 CRL-----\n", root.crl(|_| ()))),
    ];
    for (name, crl) in cases {
        assert_eq!(read(&root, crl).err(), Some(TlsError::Crl), "{name}");
    }
    assert_eq!(AgentVerifier::new(&trusting(Vec::new())).err(), Some(TlsError::NoAnchor));
}

#[test]
fn m02_an_anchor_must_be_able_to_sign_certificates_and_lists() {
    type Change = fn(&mut CertificateParams);
    let good = Root::new(|_| ()).crl(|_| ());
    let cases: &[(&str, Change, PeerError)] = &[
        ("not a CA", |it| it.is_ca = IsCa::ExplicitNoCa, PeerError::NoAuthority),
        ("no constraints", |it| it.is_ca = IsCa::NoCa, PeerError::NoAuthority),
        ("no usage", |it| it.key_usages.clear(), PeerError::NoAuthority),
        (
            "no cRLSign",
            |it| it.key_usages = vec![KeyUsagePurpose::KeyCertSign],
            PeerError::NoAuthority,
        ),
        (
            "no keyCertSign",
            |it| it.key_usages = vec![KeyUsagePurpose::CrlSign],
            PeerError::NoAuthority,
        ),
        ("serial zero", |it| it.serial_number = Some(SerialNumber::from(0)), PeerError::Serial),
    ];
    for (name, change, refused) in cases {
        let root = Root::new(change);
        assert_eq!(read(&root, &good).err(), Some(TlsError::Anchor(*refused)), "{name}");
    }
}

#[test]
fn m02_an_expired_list_refuses_everybody_it_covers() {
    let root = Root::new(|_| ());
    let crl = root.crl(|it| listed(it, NOW.before(DAY), NOW));
    let second = std::time::Duration::from_secs(1);
    assert!(identify(&root, &crl, NOW.before(second)).is_ok());
    let refused = identify(&root, &crl, NOW.after(second)).err();
    assert_eq!(refused, Some(PeerError::RevocationExpired));
}

#[test]
fn m02_a_list_of_one_distribution_point_is_no_list_of_the_authority() {
    let root = Root::new(|_| ());
    let crl = root.crl(|it: &mut CertificateRevocationListParams| {
        let distribution_point =
            CrlDistributionPoint { uris: vec!["http://elsewhere.example/crl".to_owned()] };
        it.issuing_distribution_point =
            Some(CrlIssuingDistributionPoint { distribution_point, scope: None });
    });
    assert_eq!(read(&root, &crl).err(), Some(TlsError::Crl));
}

#[test]
fn m02_a_list_has_a_number() {
    let root = Root::new(|_| ());
    const NUMBER: u8 = 20;
    assert!(read(&root, &root.crl_with(NUMBER, NUMBER)).is_ok());
    assert_eq!(read(&root, &root.crl_with(NUMBER, 99)).err(), Some(TlsError::Crl));
}

#[test]
fn m02_an_older_list_does_not_replace_a_newer_one() {
    let root = Root::new(|_| ());
    let numbered = |number: &[u8]| {
        let number = SerialNumber::from_slice(number);
        read(&root, &root.crl(|it| it.crl_number = number)).unwrap()
    };
    let [fourth, fifth, larger] = [&[4][..], &[5], &[1, 0]].map(numbered);
    assert!(fourth.replaced_by(fifth.clone()).is_ok());
    assert!(fifth.replaced_by(fifth.clone()).is_ok());
    assert!(fifth.replaced_by(larger.clone()).is_ok());
    assert_eq!(fifth.replaced_by(fourth).err(), Some(TlsError::CrlOlder));
    assert_eq!(larger.replaced_by(fifth.clone()).err(), Some(TlsError::CrlOlder));
    let other = anchor(&Root::new(|_| ()));
    assert_eq!(fifth.replaced_by(other).err(), Some(TlsError::Anchor(PeerError::Issuer)));
}

#[test]
fn m06_an_authority_is_not_mistaken_for_another_of_its_name() {
    let [first, second] = [Root::new(|_| ()), Root::new(|_| ())];
    let (leaf, _) = first.leaf(|_| ());
    let alone = AgentVerifier::new(&trusting(vec![anchor(&second)])).unwrap();
    assert!(alone.identify(&[leaf.clone().into()], NOW).is_err());
    // The second says that the serial number is revoked: of its own certificates, not of these.
    let revoking = second.crl(|it| it.revoked_certs.push(revoked(77)));
    let second = read(&second, &revoking).unwrap();
    for anchors in [vec![anchor(&first), second.clone()], vec![second, anchor(&first)]] {
        let both = AgentVerifier::new(&trusting(anchors)).unwrap();
        let peer = both.identify(&[leaf.clone().into()], NOW).unwrap();
        assert_eq!(peer.anchor_spki, anchor(&first).spki());
    }
}

fn revoked(serial: u64) -> rcgen::RevokedCertParams {
    rcgen::RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: rcgen::date_time_ymd(2026, 7, 1),
        reason_code: None,
        invalidity_date: None,
    }
}

#[test]
fn m06_m07_an_authority_speaks_for_its_own_tenant_alone() {
    let root = Root::new(|_| ());
    let anchor = Anchor::read(&root.pem(), &root.crl(|_| ()), prefix("rival")).unwrap();
    let verifier = AgentVerifier::new(&trusting(vec![anchor])).unwrap();
    let (leaf, _) = root.leaf(|_| ());
    assert_eq!(verifier.identify(&[leaf.into()], NOW).err(), Some(PeerError::Scope));
}

#[test]
fn m08_an_expired_root_is_believed_no_more() {
    for (from, until) in
        [(NOW.before(DAY), NOW.before(DAY / 2)), (NOW.after(DAY / 2), NOW.after(DAY))]
    {
        let root = Root::new(|it| valid(it, from, until));
        let refused = identify(&root, &root.crl(|_| ()), NOW).err();
        assert_eq!(refused, Some(PeerError::AuthorityDates));
    }
}

/// A leaf of an authority below the root, with the lists of both.
fn below(
    root: &Root,
    change: impl FnOnce(&mut CertificateParams),
) -> (Anchor, Vec<CertificateDer<'static>>) {
    let issuer = root.intermediate(change);
    let lists = root.crl(|_| ()) + &issuer.crl(|_| ());
    let (leaf, _) = issuer.leaf(|_| ());
    (read(root, &lists).unwrap(), vec![leaf.into(), issuer.der().into()])
}

fn identify_below(
    root: &Root,
    change: impl FnOnce(&mut CertificateParams),
) -> Result<ChainedPeer, PeerError> {
    let (anchor, chain) = below(root, change);
    AgentVerifier::new(&trusting(vec![anchor])).unwrap().identify(&chain, NOW)
}

#[test]
fn m08_an_intermediate_is_held_to_the_rules_too() {
    let root = Root::new(|_| ());
    assert!(identify_below(&root, |_| ()).is_ok());
    let expired = identify_below(&root, |it| valid(it, NOW.before(DAY), NOW.before(DAY / 2)));
    assert_eq!(expired.err(), Some(PeerError::Expired));
    let no_ca = identify_below(&root, |it| it.is_ca = IsCa::ExplicitNoCa);
    assert_eq!(no_ca.err(), Some(PeerError::NoAuthority));
    let serial = identify_below(&root, |it| it.serial_number = Some(SerialNumber::from(0)));
    assert_eq!(serial.err(), Some(PeerError::Serial));
}

#[test]
fn m02_a_chain_of_two_needs_the_lists_of_both() {
    let root = Root::new(|_| ());
    let (_, chain) = below(&root, |_| ());
    let verifier = AgentVerifier::new(&trusting(vec![anchor(&root)])).unwrap();
    assert_eq!(verifier.identify(&chain, NOW).err(), Some(PeerError::RevocationUnknown));
}

#[test]
fn m09_a_root_that_allows_no_authority_below_it_is_obeyed() {
    let root = Root::new(|it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    assert_eq!(identify_below(&root, |_| ()).err(), Some(PeerError::NoAuthority));
    assert!(identify(&root, &root.crl(|_| ()), NOW).is_ok());
}

#[test]
fn m11_long_chains_are_not_looked_at() {
    let root = Root::new(|_| ());
    let (anchor, mut chain) = below(&root, |_| ());
    let verifier = AgentVerifier::new(&trusting(vec![anchor])).unwrap();
    chain.push(root.der().into());
    assert!(verifier.identify(&chain, NOW).is_ok());
    chain.push(root.der().into());
    assert!(verifier.identify(&chain, NOW).is_ok());
    chain.push(root.der().into());
    assert_eq!(verifier.identify(&chain, NOW).err(), Some(PeerError::ChainTooLong));
    let (leaf, _) = root.leaf(|_| ());
    let large = vec![leaf.into(), vec![0x30; 16 * 1024].into()];
    assert_eq!(verifier.identify(&large, NOW).err(), Some(PeerError::ChainTooLong));
    assert_eq!(verifier.identify(&[], NOW).err(), Some(PeerError::Malformed));
}
