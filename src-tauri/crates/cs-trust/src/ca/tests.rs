use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::certificate::sample::{DAY, NOW, agent, authority, pem_of};
use crate::peer::PeerCertificate;

/// Requests signed by keys that are too weak: RSA with 1024 bits, secp256k1 and P-192.
const WEAK: [(&str, &str); 3] = [
    (
        "RSA 1024",
        "MIIBTjCBuAIBADAPMQ0wCwYDVQQDDAR3ZWFrMIGfMA0GCSqGSIb3DQEBAQUAA4GN
ADCBiQKBgQC3GhstXo53wk1TOy4Ote44X4sNlamHcTKd4IEEMeyD0yB7gt1AZi6s
JHJRvR0rwmvyPgvhrH+dryi02/AjwwnY16i6XxXvLiD2UgWpEGtmRSq+XMR8imqo
uf7d7fOZPPWXJohxQXnxLmGOdhqOQK3WMyEHQRNzJvBYkISvr3p7AQIDAQABoAAw
DQYJKoZIhvcNAQELBQADgYEAmNMFCGXsrM1Iuv/EZ/M/aZfS7oKZ3AXCLiDqXRVy
RxsjWJjWvwFD0H9K7xQtqbRbGGiWdT9HkUgroWbsI2LCFHnrzhKTTKNZcmA5UzHY
2ZSJrYYJZoK8ddaG6zCmTub2wb3oaHjOflIpEiqKSxW9l1XgiH9DlfyWDojGlgvJ
98I=",
    ),
    (
        "secp256k1",
        "MIHFMG4CAQAwDzENMAsGA1UEAwwEd2VhazBWMBAGByqGSM49AgEGBSuBBAAKA0IA
BEdVLbmd66xoBsJQdi9A2/N6yaulc/Fs59j+Lve/JVKUd5pioQRSTgMsTLmmQ09H
lfpnRxJHqhjtjdLpTES9A6egADAKBggqhkjOPQQDAgNHADBEAiAL6JAzsuKYTU5R
QJMDTVq2kxYqDu3oIU8KRHTWkK3rgQIgVwJQTXLYKMVexKg8jKiUKzRnUAXip8Pz
/vwAaw5rxLs=",
    ),
    (
        "P-192",
        "MIGqMGECAQAwDzENMAsGA1UEAwwEd2VhazBJMBMGByqGSM49AgEGCCqGSM49AwEB
AzIABJw1ftwzp78A8mOwp1kSpHq1/nouAOhOXxyXtnAHERUVALFtAw74bHRkftDe
Ff0pHKAAMAoGCCqGSM49BAMCAzkAMDYCGQDFxNQx26g+Os8kyZDwKmmaQIU7Y762
Z3oCGQD04SB2UKPrH51GKNDTbwPoWD1J3fUehNI=",
    ),
];

fn der(pem: &str) -> CertificateDer<'static> {
    certificate::only(pem).unwrap()
}

fn issue(key: LeafKey<'_>) -> Result<IssuedLeaf, CaError> {
    authority("acme").issue_agent(&agent("acme", "reader"), key, [9; 16], NOW, DAY)
}

fn request_of(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = CertificateParams::default();
    change(&mut params);
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn an_issued_certificate_is_the_agents_and_says_what_was_returned() {
    let leaf = issue(LeafKey::Generate).unwrap();
    let peer = PeerCertificate::read(&der(&leaf.certificate_pem), NOW).unwrap();
    assert_eq!(peer.spiffe.agent(), Ok(agent("acme", "reader")));
    assert_eq!((&peer.serial, peer.fingerprint), (&leaf.serial, leaf.fingerprint));
    assert_eq!((peer.spki, peer.not_before), (leaf.spki, leaf.not_before));
    assert_eq!((leaf.not_before, leaf.not_after), (NOW.before(BACKDATED), NOW.after(DAY)));
    let key = leaf.key_pem.unwrap();
    let key = KeyPair::from_pem(key.expose_text().unwrap()).unwrap();
    assert_eq!(Digest::of(&key.subject_public_key_info()), leaf.spki);
}

#[test]
fn m09_of_a_request_only_the_public_key_is_taken() {
    let key = KeyPair::generate().unwrap();
    let greedy = request_of(&key, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
        params.subject_alt_names =
            vec![SanType::URI("spiffe://example.org/tenant/rival/agent/admin".try_into().unwrap())];
        params.distinguished_name.push(DnType::CommonName, "admin");
    });
    let leaf = issue(LeafKey::Csr(&greedy)).unwrap();
    assert!(leaf.key_pem.is_none());
    assert_eq!(leaf.spki, Digest::of(&key.subject_public_key_info()));
    assert!(leaf.not_after <= NOW.after(DAY));
    let der = der(&leaf.certificate_pem);
    assert_eq!(
        PeerCertificate::read(&der, NOW).unwrap().spiffe.agent(),
        Ok(agent("acme", "reader"))
    );
    assert!(!der.windows(5).any(|it| it == b"admin" || it == b"rival"));
}

#[test]
fn m09_a_request_that_was_not_signed_with_its_own_key_is_refused() {
    let honest = request_of(&KeyPair::generate().unwrap(), |_| ());
    let other = KeyPair::generate().unwrap();
    let mut stolen =
        certificate::only::<CertificateSigningRequestDer<'_>>(&honest).unwrap().to_vec();
    let bits = other.public_key_raw().to_vec();
    let honest_key = {
        let (_, request) = X509CertificationRequest::from_der(&stolen).unwrap();
        request.certification_request_info.subject_pki.subject_public_key.data.to_vec()
    };
    let place = stolen.windows(honest_key.len()).position(|it| it == honest_key).unwrap();
    stolen[place..place + bits.len()].copy_from_slice(&bits);
    let stolen = pem_of("CERTIFICATE REQUEST", &stolen);
    assert_eq!(issue(LeafKey::Csr(&stolen)).err(), Some(CaError::RequestSignature));
    assert!(issue(LeafKey::Csr(&honest)).is_ok());
}

#[test]
fn m09_a_weak_key_gets_no_certificate() {
    for (name, body) in WEAK {
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"
        );
        assert_eq!(issue(LeafKey::Csr(&pem)).err(), Some(CaError::WeakKey), "{name}");
    }
}

#[test]
fn m09_what_is_not_one_request_is_refused() {
    let one = request_of(&KeyPair::generate().unwrap(), |_| ());
    let leaf = issue(LeafKey::Generate).unwrap().certificate_pem;
    for text in ["", "hello", leaf.as_str(), &format!("{one}{one}"), &"x".repeat(20_000)] {
        assert_eq!(issue(LeafKey::Csr(text)).err(), Some(CaError::Request));
    }
}

#[test]
fn m09_keys_of_every_accepted_kind_get_a_certificate() {
    let kinds = [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ];
    for kind in kinds {
        let key = KeyPair::generate_for(kind).unwrap();
        let leaf = issue(LeafKey::Csr(&request_of(&key, |_| ()))).unwrap();
        assert_eq!(leaf.spki, Digest::of(&key.subject_public_key_info()), "{kind:?}");
    }
}

#[test]
fn m09_a_certificate_lives_neither_too_long_nor_longer_than_its_authority() {
    let authority = authority("acme");
    let second = Duration::from_secs(1);
    let issue = |now, lifetime| {
        let reader = agent("acme", "reader");
        authority.issue_agent(&reader, LeafKey::Generate, [9; 16], now, lifetime).map(|_| ())
    };
    assert_eq!(issue(NOW, MOST_LIFETIME), Ok(()));
    assert_eq!(issue(NOW, MOST_LIFETIME + second), Err(CaError::Lifetime));
    assert_eq!(issue(NOW, Duration::ZERO), Err(CaError::Lifetime));
    assert_eq!(issue(authority.not_after().before(DAY), DAY), Ok(()));
    assert_eq!(issue(authority.not_after().before(DAY), DAY + second), Err(CaError::Lifetime));
    assert_eq!(issue(NOW.before(DAY), DAY), Err(CaError::Lifetime));
}

#[test]
fn an_authority_opens_with_its_own_key_alone() {
    let (first, first_key) = Authority::create("first", NOW, [1; 16]).unwrap();
    let (second, second_key) = Authority::create("second", NOW, [2; 16]).unwrap();
    assert!(Authority::open(first.certificate_pem(), &first_key).is_ok());
    assert_eq!(Authority::open(first.certificate_pem(), &second_key).err(), Some(CaError::Key));
    assert_eq!(Authority::open(second.certificate_pem(), &first_key).err(), Some(CaError::Key));
    let leaf = issue(LeafKey::Generate).unwrap();
    let refused = Authority::open(&leaf.certificate_pem, &leaf.key_pem.unwrap());
    assert_eq!(refused.err(), Some(CaError::Certificate(PeerError::NoAuthority)));
    let both = format!("{}{}", first.certificate_pem(), second.certificate_pem());
    let refused = Authority::open(&both, &first_key);
    assert_eq!(refused.err(), Some(CaError::Certificate(PeerError::Malformed)));
}

#[test]
fn an_opened_authority_issues_what_the_created_one_would() {
    let (created, key) = Authority::create("acme", NOW, [1; 16]).unwrap();
    let opened = Authority::open(created.certificate_pem(), &key).unwrap();
    let issuer_of = |it: &Authority| {
        let reader = agent("acme", "reader");
        let leaf = it.issue_agent(&reader, LeafKey::Generate, [9; 16], NOW, DAY).unwrap();
        let [leaf, above] = [leaf.certificate_pem.as_str(), it.certificate_pem()].map(der);
        let [leaf, above] = [&leaf, &above].map(|der| certificate::read(der).unwrap());
        leaf.verify_signature(Some(above.public_key())).unwrap();
        leaf.issuer().as_raw().to_vec()
    };
    assert_eq!(issuer_of(&created), issuer_of(&opened));
}

#[test]
fn an_authority_lives_ten_years_and_has_nothing_below_it_but_leaves() {
    let authority = authority("acme");
    let der = der(authority.certificate_pem());
    let cert = certificate::read(&der).unwrap();
    assert_eq!(certificate::check_authority(&cert), Ok(Some(0)));
    assert_eq!(authority.not_after(), NOW.after(Duration::from_secs(3652 * 86_400)));
    for subject in ["", "a\nb", &"x".repeat(65)] {
        assert_eq!(Authority::create(subject, NOW, [1; 16]).err(), Some(CaError::Subject));
    }
}

#[test]
fn neither_the_authority_nor_a_leaf_prints_its_key() {
    let (authority, key) = Authority::create("acme", NOW, [1; 16]).unwrap();
    let leaf = issue(LeafKey::Generate).unwrap();
    let printed = format!("{authority:?} {leaf:?} {key:?}");
    assert!(!printed.contains("PRIVATE"), "{printed}");
}

#[test]
fn n03_a_serial_number_is_positive_and_16_bytes_long_whatever_the_random_bytes() {
    for serial in [[0; 16], [0xff; 16], [0x80; 16]] {
        let reader = agent("acme", "reader");
        let leaf =
            authority("acme").issue_agent(&reader, LeafKey::Generate, serial, NOW, DAY).unwrap();
        assert_eq!(leaf.serial.len(), 32, "{serial:?}");
    }
}

#[test]
fn a_server_is_named_by_hosts_and_addresses_alone() {
    let authority = authority("acme");
    let issue = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
        authority.issue_server(&names, [3; 16], NOW, DAY).map(|_| ())
    };
    assert_eq!(issue(&["localhost", "gateway.example.org", "127.0.0.1", "::1"]), Ok(()));
    for names in [
        &[][..],
        &[""],
        &["localhost", ""],
        &["*.example.org"],
        &["Example.org"],
        &["example.org."],
        &["a b"],
        &["127.1"],
        &["1.2.3.4.5"],
        &["-a.example"],
        &["a\0.example"],
    ] {
        assert_eq!(issue(names), Err(CaError::ServerName), "{names:?}");
    }
}

#[test]
fn a_list_revokes_what_was_issued_and_nothing_that_is_no_serial_number() {
    let authority = authority("acme");
    let list = |serial: &str, until| {
        let serial = serial.to_owned();
        authority.crl(&[RevokedSerial { serial, at: NOW }], 1, NOW, until).map(|_| ())
    };
    let later = NOW.after(DAY);
    assert_eq!(list("4d0102", later), Ok(()));
    for serial in ["", "4", "4D", "+1", "zz", &"11".repeat(21)] {
        assert_eq!(list(serial, later), Err(CaError::Serial), "{serial}");
    }
    assert_eq!(list("4d", NOW), Err(CaError::Dates));
}
