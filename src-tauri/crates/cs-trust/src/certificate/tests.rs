use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, NameConstraints,
};

use super::sample::{Root, element};
use super::*;

const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
const PURPOSES: &[u64] = &[2, 5, 29, 37];

fn extended(oid: &[u64], content: &[u8]) -> CustomExtension {
    CustomExtension::from_oid_content(oid, content.to_vec())
}

/// Why a leaf is refused after this change to a good one.
fn leaf(change: impl FnOnce(&mut CertificateParams)) -> Option<PeerError> {
    let (der, _) = Root::new(|_| ()).leaf(change);
    read(&der).and_then(|cert| check_leaf(&cert, Purpose::Agent)).err()
}

/// Why an authority is refused after this change to a good one.
fn authority(change: impl FnOnce(&mut CertificateParams)) -> Option<PeerError> {
    let der = Root::new(change).der();
    read(&der).and_then(|cert| check_authority(&cert)).err()
}

#[test]
fn n03_an_extension_stands_once() {
    // The content of an `ExtendedKeyUsage` that says `clientAuth`.
    let client = [0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
    let alone = |it: &mut CertificateParams| {
        it.extended_key_usages.clear();
        it.custom_extensions.push(extended(PURPOSES, &client));
    };
    assert_eq!(leaf(alone), None);
    let twice = leaf(|it| it.custom_extensions.push(extended(PURPOSES, &client)));
    assert_eq!(twice, Some(PeerError::Malformed));
    let unknown = |times| {
        leaf(|it| {
            it.custom_extensions = vec![extended(&[1, 3, 6, 1, 4, 1, 99_999, 1], &[5, 0]); times]
        })
    };
    assert_eq!(unknown(1), None);
    assert_eq!(unknown(2), Some(PeerError::Malformed));
}

#[test]
fn m05_a_list_of_no_purposes_is_no_purpose() {
    let refused = leaf(|it| {
        it.extended_key_usages.clear();
        it.custom_extensions.push(extended(PURPOSES, &[0x30, 0x00]));
    });
    assert!(matches!(refused, Some(PeerError::Purpose | PeerError::Malformed)), "{refused:?}");
}

#[test]
fn n03_the_algorithm_that_was_signed_is_the_one_that_is_named() {
    let (mut der, _) = Root::new(|_| ()).leaf(|_| ());
    // `ecdsa-with-SHA256`, once inside and once outside of what is signed.
    let named = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let places: Vec<_> = der
        .windows(named.len())
        .enumerate()
        .filter_map(|(at, it)| (it == named).then_some(at))
        .collect();
    assert_eq!(places.len(), 2);
    assert!(read(&der).is_ok());
    der[places[1] + named.len() - 1] = 0x03;
    assert_eq!(read(&der).err(), Some(PeerError::Malformed));
}

#[test]
fn m07_a_leaf_constrains_no_names() {
    let subtree = GeneralSubtree::DnsName("example.org".to_owned());
    let constraints =
        NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: Vec::new() };
    let refused = leaf(|it| it.name_constraints = Some(constraints));
    assert_eq!(refused, Some(PeerError::Authority));
}

#[test]
fn m05_an_authority_has_a_name_and_says_critically_that_it_is_one() {
    assert_eq!(authority(|_| ()), None);
    let unnamed = authority(|it| it.distinguished_name = DistinguishedName::new());
    assert_eq!(unnamed, Some(PeerError::NoAuthority));
    let uncritical = authority(|it| {
        it.is_ca = IsCa::NoCa;
        it.custom_extensions.push(extended(BASIC_CONSTRAINTS, &[0x30, 0x03, 0x01, 0x01, 0xff]));
    });
    assert_eq!(uncritical, Some(PeerError::NoAuthority));
}

#[test]
fn m05_a_servers_certificate_is_for_servers_alone() {
    let server = |purposes: &[ExtendedKeyUsagePurpose]| {
        let (der, _) = Root::new(|_| ()).leaf(|it| it.extended_key_usages = purposes.to_vec());
        read(&der).and_then(|cert| check_leaf(&cert, Purpose::Server)).err()
    };
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    assert_eq!(server(&[ServerAuth]), None);
    assert_eq!(server(&[ServerAuth, ClientAuth]), Some(PeerError::Purpose));
    assert_eq!(server(&[ClientAuth]), Some(PeerError::Purpose));
}

/// An RSA key with this modulus and exponent, both as they are encoded.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = element(0x30, &[element(0x02, modulus), element(0x02, exponent)].concat());
    let bits = element(0x03, &[&[0], key.as_slice()].concat());
    let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    element(0x30, &[element(0x30, &oid), bits].concat())
}

#[test]
fn m09_an_rsa_key_is_neither_weak_nor_a_burden() {
    let modulus = |bytes: usize, first: u8| {
        let mut modulus = vec![0xff; bytes + 1];
        modulus[0] = 0;
        modulus[1] = first;
        modulus
    };
    let usual = [1, 0, 1];
    let cases: &[(&str, Vec<u8>, &[u8], bool)] = &[
        ("2048", modulus(256, 0xff), &usual, true),
        ("4096", modulus(512, 0xff), &usual, true),
        ("2040", modulus(255, 0xff), &usual, false),
        ("4104", modulus(513, 0xff), &usual, false),
        ("2047", modulus(256, 0x7f), &usual, false),
        ("exponent 3", modulus(256, 0xff), &[3], false),
        ("exponent 65535", modulus(256, 0xff), &[0, 0xff, 0xff], false),
        ("even exponent", modulus(256, 0xff), &[1, 0, 2], false),
        ("exponent of 9 bytes", modulus(256, 0xff), &[1; 9], false),
        ("no exponent", modulus(256, 0xff), &[], false),
    ];
    for (name, modulus, exponent, strong) in cases {
        let der = rsa(modulus, exponent);
        let key = SubjectPublicKeyInfo::from_der(&der);
        assert_eq!(key.is_ok_and(|(_, key)| is_strong(&key)), *strong, "{name}");
    }
}
