use super::*;

fn operator() -> OperatorId {
    OperatorId::from_random([1; 16])
}

fn passphrase() -> Secret {
    Secret::from_text("correct horse battery staple".to_owned())
}

fn key() -> OperatorKey {
    OperatorKey::from_seed([5; 32]).unwrap()
}

fn sealed() -> Vec<u8> {
    key().seal(&passphrase(), [2; 16], [3; 12], operator()).unwrap()
}

/// A sealed key with another head, and a check that fits again: what somebody can write who has
/// the text but not the passphrase.
fn rewritten(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut text = sealed().split_last_chunk::<32>().unwrap().0.to_vec();
    change(&mut text);
    let check = check_of(operator(), &text);
    text.extend_from_slice(check.as_bytes());
    text
}

// RFC 8032, section 7.1, test 1.
#[test]
fn the_public_key_and_the_signature_are_the_published_ones() {
    let seed: Digest =
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60".parse().unwrap();
    let public: Digest =
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".parse().unwrap();
    let key = OperatorKey::from_seed(*seed.as_bytes()).unwrap();
    assert_eq!(&key.public_key(), public.as_bytes());
    let [first, second] = [0, 32].map(|at| {
        let half: [u8; 32] = key.sign(b"").unwrap()[at..at + 32].try_into().unwrap();
        Digest::from_bytes(half).to_string()
    });
    assert_eq!(first, "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155");
    assert_eq!(second, "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

// Computed independently, with Python's `cryptography` and `hashlib`. Keys that were sealed once
// have to open with every later version.
#[test]
fn a_sealed_key_is_the_known_one() {
    let known = "0100010000000000030000000102020202020202020202020202020202030303030303030303030303\
                 be913e8c290697077dc57604ac0d3d7d7ec502862ad1cbb5cc877384a59a16cbb78725cfcf66ce6c83\
                 c4f08e9c54cf71421996fcbcc8ebc537bf8e6c2095655eafcd15069a0195c169b1f74362983275";
    let hex: String = sealed().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, known);
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_and_with_no_other() {
    let sealed = sealed();
    let opened = OperatorKey::unseal(&passphrase(), &sealed, operator()).unwrap();
    assert_eq!(opened.public_key(), key().public_key());
    for wrong in ["Correct horse battery staple", "correct horse battery staple ", "x"] {
        let refused =
            OperatorKey::unseal(&Secret::from_text(wrong.to_owned()), &sealed, operator());
        assert_eq!(refused.unwrap_err(), OperatorKeyError::WrongPassphrase, "{wrong}");
    }
}

#[test]
fn an_empty_passphrase_is_refused_on_both_ways() {
    let empty = Secret::new(Vec::new());
    let refused = key().seal(&empty, [2; 16], [3; 12], operator());
    assert_eq!(refused.unwrap_err(), OperatorKeyError::EmptyPassphrase);
    let refused = OperatorKey::unseal(&empty, &sealed(), operator());
    assert_eq!(refused.unwrap_err(), OperatorKeyError::EmptyPassphrase);
}

#[test]
fn a_damaged_text_is_told_from_a_wrong_passphrase() {
    let good = sealed();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        for text in [&changed[..], &good[..at]] {
            let refused = OperatorKey::unseal(&passphrase(), text, operator());
            assert_eq!(refused.unwrap_err(), OperatorKeyError::Damaged, "byte {at}");
        }
    }
    let longer = [&good[..], b"x"].concat();
    let refused = OperatorKey::unseal(&passphrase(), &longer, operator());
    assert_eq!(refused.unwrap_err(), OperatorKeyError::Damaged);
}

#[test]
fn a_key_does_not_open_for_another_operator() {
    let other = OperatorId::from_random([4; 16]);
    let refused = OperatorKey::unseal(&passphrase(), &sealed(), other);
    assert_eq!(refused.unwrap_err(), OperatorKeyError::Damaged);

    // Nor when the check was made to fit: the operator is bound by the cipher as well.
    let mut moved = sealed();
    moved.truncate(moved.len() - 32);
    let check = check_of(other, &moved);
    moved.extend_from_slice(check.as_bytes());
    let refused = OperatorKey::unseal(&passphrase(), &moved, other);
    assert_eq!(refused.unwrap_err(), OperatorKeyError::WrongPassphrase);
}

#[test]
fn the_work_of_one_guess_can_be_neither_lowered_nor_raised_without_bound() {
    let with = |memory: u32, passes: u32, lanes: u32| {
        rewritten(|text| {
            for (at, part) in [(1, memory), (5, passes), (9, lanes)] {
                text[at..at + 4].copy_from_slice(&part.to_be_bytes());
            }
        })
    };
    for (memory, passes, lanes) in [
        (64 * 1024 - 1, 3, 1),
        (8, 1, 1),
        (64 * 1024, 2, 1),
        (64 * 1024, 3, 0),
        (256 * 1024 + 1, 3, 1),
        (u32::MAX, 3, 1),
        (64 * 1024, 11, 1),
        (64 * 1024, u32::MAX, 1),
        (64 * 1024, 3, 5),
    ] {
        let refused = OperatorKey::unseal(&passphrase(), &with(memory, passes, lanes), operator());
        assert_eq!(refused.unwrap_err(), OperatorKeyError::Damaged, "{memory} {passes} {lanes}");
    }
    // Within the bounds it is still bound by the cipher.
    let refused = OperatorKey::unseal(&passphrase(), &with(64 * 1024, 4, 1), operator());
    assert_eq!(refused.unwrap_err(), OperatorKeyError::WrongPassphrase);
    assert!(OperatorKey::unseal(&passphrase(), &with(64 * 1024, 3, 1), operator()).is_ok());
}

#[test]
fn an_unknown_version_is_not_opened() {
    let next = rewritten(|text| text[0] = 2);
    let refused = OperatorKey::unseal(&passphrase(), &next, operator());
    assert_eq!(refused.unwrap_err(), OperatorKeyError::Damaged);
}

#[test]
fn neither_the_seed_nor_the_passphrase_stands_in_the_sealed_text() {
    let sealed = sealed();
    assert!(!sealed.windows(8).any(|window| window == [5; 8]));
    assert!(!sealed.windows(7).any(|window| window == b"correct"));
    assert_eq!(format!("{:?}", key()), "OperatorKey(..)");
}
