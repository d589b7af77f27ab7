use super::*;

const NONCE: [u8; NONCE_LEN] = [9; NONCE_LEN];

fn master() -> Secret {
    Secret::new((0..32).collect())
}

fn key() -> SealingKey {
    SealingKey::derive(&master(), "api-key").unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// Computed independently, with Python's `cryptography`: HKDF(salt, info = purpose), AES-GCM with
// 01 | 0000000000000003 "tnt" | 0000000000000003 "row" as associated data.
#[test]
fn a_sealed_value_is_the_known_one_and_opens_where_it_belongs() {
    let sealed = key().seal(NONCE, &[b"tnt", b"row"], b"css_secret").unwrap();
    assert_eq!(
        hex(&sealed),
        "0109090909090909090909090919891d6202f24f7ee7e43f7fa9cee223b0fe8e55b0ff105d1894"
    );
    assert_eq!(key().open(&[b"tnt", b"row"], &sealed).unwrap().expose(), b"css_secret");
}

#[test]
fn a_value_that_is_moved_to_another_place_does_not_open() {
    let sealed = key().seal(NONCE, &[b"tnt", b"row"], b"css_secret").unwrap();
    let elsewhere: [&[&[u8]]; 6] = [
        &[],
        &[b"tnt"],
        &[b"row", b"tnt"],
        &[b"tntr", b"ow"],
        &[b"tnt", b"row", b""],
        &[b"tntrow"],
    ];
    for place in elsewhere {
        assert_eq!(key().open(place, &sealed).unwrap_err(), SealError::Closed, "{place:?}");
    }
}

#[test]
fn another_purpose_and_another_master_key_open_nothing() {
    let sealed = key().seal(NONCE, &[], b"css_secret").unwrap();
    let others = [
        SealingKey::derive(&master(), "api-keys"),
        SealingKey::derive(&Secret::new(vec![1; 32]), "api-key"),
    ];
    for other in others {
        assert_eq!(other.unwrap().open(&[], &sealed).unwrap_err(), SealError::Closed);
    }
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let sealed = key().seal(NONCE, &[b"row"], b"css").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert!(key().open(&[b"row"], &changed).is_err(), "byte {at}, bit {bit}");
        }
        assert!(key().open(&[b"row"], &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn what_was_never_sealed_is_told_from_what_does_not_open() {
    for text in [&b""[..], b"\x01", b"\x02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"css_secret"] {
        assert_eq!(key().open(&[], text).unwrap_err(), SealError::Form, "{text:?}");
    }
}

#[test]
fn a_short_master_key_is_refused() {
    for length in [0, 16, 31] {
        let refused = SealingKey::derive(&Secret::new(vec![7; length]), "api-key");
        assert_eq!(refused.unwrap_err(), SealError::Master, "{length}");
    }
}

#[test]
fn neither_key_nor_value_prints() {
    let printed = format!("{:?} {:?}", key(), key().open(&[], b"").unwrap_err());
    assert!(!printed.contains("[0, 1, 2"), "{printed}");
}
