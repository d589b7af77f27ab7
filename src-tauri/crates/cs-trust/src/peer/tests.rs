use rcgen::ExtendedKeyUsagePurpose as Purpose;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose, SanType, SerialNumber};

use super::*;
use crate::certificate::sample::{DAY, NOW, Root, agent, unknown_critical, uri, valid};

type Change = fn(&mut CertificateParams);

fn read(change: impl FnOnce(&mut CertificateParams)) -> Result<PeerCertificate, PeerError> {
    PeerCertificate::read(&Root::new(|_| ()).leaf(change).0, NOW)
}

/// Reads one leaf for each case, and compares why it is refused.
fn judge(cases: &[(&str, Change, PeerError)]) {
    for (name, change, refused) in cases {
        assert_eq!(read(change).err(), Some(*refused), "{name}");
    }
}

#[test]
fn a_good_leaf_is_read() {
    let root = Root::new(|_| ());
    let (der, _) = root.leaf(|_| ());
    let peer = PeerCertificate::read(&der, NOW).unwrap();
    assert_eq!(peer.spiffe.agent(), Ok(agent("acme", "reader")));
    assert_eq!(peer.serial, "4d");
    assert_eq!(peer.fingerprint, Digest::of(&der));
    assert_eq!((peer.not_before, peer.not_after), (NOW.before(DAY), NOW.after(DAY)));
}

#[test]
fn m04_an_agent_is_named_by_exactly_one_uri() {
    let dns = || SanType::DnsName("reader".try_into().unwrap());
    let good = "spiffe://example.org/tenant/acme/agent/reader";
    let cases: &[(&str, Vec<SanType>, PeerError)] = &[
        ("none", Vec::new(), PeerError::Names),
        (
            "two",
            vec![uri(good), uri("spiffe://example.org/tenant/acme/agent/admin")],
            PeerError::Names,
        ),
        ("twice the same", vec![uri(good), uri(good)], PeerError::Names),
        ("a host beside it", vec![uri(good), dns()], PeerError::Names),
        ("a host before it", vec![dns(), uri(good)], PeerError::Names),
        ("a host alone", vec![dns()], PeerError::Names),
        ("an address", vec![SanType::IpAddress([127, 0, 0, 1].into())], PeerError::Names),
        ("mail", vec![SanType::Rfc822Name("a@b.c".try_into().unwrap())], PeerError::Names),
        ("other", vec![SanType::OtherName((vec![1, 2, 3], good.into()))], PeerError::Names),
        ("escaped", vec![uri("spiffe://example.org/tenant/acme/agent/a%2Fb")], escaped()),
        ("web", vec![uri("https://example.org/")], PeerError::Spiffe(SpiffeError::Scheme)),
    ];
    for (name, names, refused) in cases {
        let read = read(|params| params.subject_alt_names.clone_from(names));
        assert_eq!(read.err(), Some(*refused), "{name}");
    }
}

fn escaped() -> PeerError {
    PeerError::Spiffe(SpiffeError::Segment)
}

#[test]
fn m04_the_common_name_means_nothing() {
    let peer = read(|params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "admin");
    });
    assert_eq!(peer.unwrap().spiffe.agent(), Ok(agent("acme", "reader")));
}

#[test]
fn m05_a_leaf_is_for_authenticating_clients_alone() {
    judge(&[
        ("no purpose", |it| it.extended_key_usages.clear(), PeerError::Purpose),
        ("any", |it| it.extended_key_usages = vec![Purpose::Any], PeerError::Purpose),
        ("any too", |it| it.extended_key_usages.push(Purpose::Any), PeerError::Purpose),
        ("server", |it| it.extended_key_usages = vec![Purpose::ServerAuth], PeerError::Purpose),
        ("server too", |it| it.extended_key_usages.push(Purpose::ServerAuth), PeerError::Purpose),
        ("code", |it| it.extended_key_usages = vec![Purpose::CodeSigning], PeerError::Purpose),
        ("ocsp too", |it| it.extended_key_usages.push(Purpose::OcspSigning), PeerError::Purpose),
        (
            "own purpose too",
            |it| it.extended_key_usages.push(Purpose::Other(vec![1, 3, 6, 1, 4, 1, 99_999])),
            PeerError::Purpose,
        ),
    ]);
}

#[test]
fn m05_a_leaf_may_sign_no_certificate() {
    judge(&[
        ("CA", |it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), PeerError::Authority),
        ("CA, 0", |it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)), PeerError::Authority),
        (
            "signs certificates",
            |it| it.key_usages.push(KeyUsagePurpose::KeyCertSign),
            PeerError::Authority,
        ),
        ("signs lists", |it| it.key_usages.push(KeyUsagePurpose::CrlSign), PeerError::Authority),
        ("no usage", |it| it.key_usages.clear(), PeerError::KeyUsage),
        (
            "agrees on keys",
            |it| it.key_usages = vec![KeyUsagePurpose::KeyAgreement],
            PeerError::KeyUsage,
        ),
    ]);
}

#[test]
fn m05_a_critical_extension_is_understood_or_the_leaf_refused() {
    let refused = read(|it| it.custom_extensions.push(unknown_critical()));
    assert_eq!(refused.err(), Some(PeerError::Extension));
}

#[test]
fn m08_a_leaf_is_valid_from_its_first_second_to_its_last() {
    let (der, _) = Root::new(|_| ()).leaf(|it| {
        valid(it, NOW, NOW.after(DAY));
    });
    let second = std::time::Duration::from_secs(1);
    let milli = std::time::Duration::from_millis(1);
    let at = |now| PeerCertificate::read(&der, now).err();
    assert_eq!(at(NOW.before(milli)), Some(PeerError::NotYetValid));
    assert_eq!(at(NOW), None);
    assert_eq!(at(NOW.after(DAY)), None);
    assert_eq!(at(NOW.after(DAY + second)), Some(PeerError::Expired));
}

#[test]
fn n03_a_serial_number_is_positive_and_at_most_20_bytes_long() {
    let cases: &[(&str, Vec<u8>, Result<&str, PeerError>)] = &[
        ("zero", vec![0], Err(PeerError::Serial)),
        ("one", vec![1], Ok("01")),
        ("high bit", vec![0x80], Ok("80")),
        ("20 bytes", vec![0x7f; 20], Ok("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f")),
        ("20 bytes and a sign", vec![0x80; 20], Err(PeerError::Serial)),
        ("21 bytes", vec![0x7f; 21], Err(PeerError::Serial)),
    ];
    for (name, bytes, expected) in cases {
        let peer = read(|it| it.serial_number = Some(SerialNumber::from_slice(bytes)));
        let serial = peer.map(|it| it.serial);
        assert_eq!(serial, expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn n03_a_negative_or_padded_serial_number_is_refused() {
    let (der, _) = Root::new(|_| ()).leaf(|it| {
        it.serial_number = Some(SerialNumber::from_slice(&[0x11, 0x22, 0x33, 0x44]));
    });
    let place = der.windows(4).position(|it| it == [0x11, 0x22, 0x33, 0x44]).unwrap();
    for (first, second) in [(0x91, 0x22), (0xff, 0xff), (0x00, 0x22)] {
        let mut forged = der.clone();
        forged[place] = first;
        forged[place + 1] = second;
        assert_eq!(PeerCertificate::read(&forged, NOW).err(), Some(PeerError::Serial));
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (der, _) = Root::new(|_| ()).leaf(|_| ());
    let mut longer = der.clone();
    longer.push(0);
    for bytes in [&[][..], &[0x30], &longer, &der[..der.len() - 1], b"-----BEGIN CERTIFICATE-----"]
    {
        assert_eq!(PeerCertificate::read(bytes, NOW).err(), Some(PeerError::Malformed));
    }
    let large = vec![0x30; 16 * 1024 + 1];
    assert_eq!(PeerCertificate::read(&large, NOW).err(), Some(PeerError::ChainTooLong));
}

proptest::proptest! {
    // What a peer sends is read before anything is known of it.
    #[test]
    fn m11_no_change_of_a_byte_makes_it_panic(at in 0_usize..400, to in 0_u8..=255) {
        let mut der = sample();
        if let Some(byte) = der.get_mut(at) {
            *byte = to;
        }
        let _ = PeerCertificate::read(&der, NOW);
    }
}

fn sample() -> Vec<u8> {
    static SAMPLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SAMPLE.get_or_init(|| Root::new(|_| ()).leaf(|_| ()).0).clone()
}
