//! The file by which a console joins a gateway on another machine: where that is, whom to believe
//! there, and a certificate with its key that says whose console it is.
//!
//! What is secret in it is sealed by a code that is shown once and goes another way than the file.
//! The code is random and long enough that nobody finds it by trying, so that it is not stretched.
//! What stands in clear is sealed in as well: a file whose address was changed does not open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cs_model::{Digest, Secret};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal::SealingKey;

/// The version of the file.
const VERSION: u32 = 1;

/// The most bytes of a file.
pub const MOST_BYTES: usize = 64 * 1024;

/// The letters of a code: none that is taken for another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many letters a code has: 125 bits.
const CODE_LETTERS: usize = 25;

/// What stands in the file in clear.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleCard {
    /// The installation that it joins.
    pub installation: String,
    /// The console's id.
    pub console: String,
    /// What the console is called.
    pub name: String,
    /// Whose console it is.
    pub operator: String,
    /// Where the gateway lets consoles in: a host and a port.
    pub address: String,
}

/// All that a console needs to join.
#[derive(Debug)]
pub struct ConsoleIdentity {
    /// What stands in clear.
    pub card: ConsoleCard,
    /// The certificate (PEM) of the authority whose gateway is believed.
    pub authority: String,
    /// The console's certificate (PEM).
    pub certificate: String,
    /// Its key (PKCS #8, PEM).
    pub key: Secret,
}

/// Why a file opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConsoleFileError {
    /// The code is another one, or the file was changed.
    #[error("the code does not open this file, or somebody changed it; enrol the console anew")]
    Closed,
    /// The cryptographic library refused.
    #[error("the file could not be sealed")]
    Crypto,
    /// It is no such file.
    #[error("this is not the file of a console, or one of a version that is not known")]
    Form,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    countersign_console: u32,
    card: ConsoleCard,
    sealed: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    authority: String,
    certificate: String,
    key: String,
}

/// A code for one file, in five groups of letters.
pub fn code(random: [u8; 16]) -> Secret {
    let mut bits = u128::from_be_bytes(random);
    let mut text = Zeroizing::new(String::with_capacity(CODE_LETTERS.saturating_add(4)));
    for place in 0..CODE_LETTERS {
        if place > 0 && place.is_multiple_of(5) {
            text.push('-');
        }
        let letter = usize::try_from(bits & 31).ok().and_then(|at| LETTERS.get(at));
        text.push(letter.copied().map_or('A', char::from));
        bits /= 32;
    }
    Secret::new(text.as_bytes().to_vec())
}

/// The name by which a gateway of this installation proves itself to consoles, wherever it is.
pub fn server_name(installation: &str) -> String {
    format!("{installation}.console.countersign")
}

/// Writes the file. `nonce` is 12 random bytes that are used this once.
///
/// # Errors
///
/// When the library refuses.
pub fn seal(
    identity: &ConsoleIdentity,
    code: &Secret,
    nonce: [u8; 12],
) -> Result<String, ConsoleFileError> {
    let ConsoleIdentity { card, authority, certificate, key } = identity;
    let key = key.expose_text().ok_or(ConsoleFileError::Crypto)?;
    let mut inside = Inside {
        authority: authority.clone(),
        certificate: certificate.clone(),
        key: key.to_owned(),
    };
    let written = serde_json::to_vec(&inside).map(Zeroizing::new);
    inside.key.zeroize();
    let inside = written.map_err(|_| ConsoleFileError::Crypto)?;
    let sealed = key_of(code)?.seal(nonce, &place(card), &inside);
    let sealed = sealed.map_err(|_| ConsoleFileError::Crypto)?;
    let written =
        Written { countersign_console: VERSION, card: card.clone(), sealed: BASE64.encode(sealed) };
    let mut text = serde_json::to_string_pretty(&written).map_err(|_| ConsoleFileError::Crypto)?;
    text.push('\n');
    Ok(text)
}

/// What a file says in clear. Nobody vouches for it until it was [opened](open).
///
/// # Errors
///
/// When it is no such file.
pub fn card(file: &str) -> Result<ConsoleCard, ConsoleFileError> {
    read(file).map(|it| it.card)
}

/// Opens a file with its code, which may be typed with or without what parts its groups.
///
/// # Errors
///
/// When the code is another one, or it is no such file.
pub fn open(file: &str, code: &Secret) -> Result<ConsoleIdentity, ConsoleFileError> {
    let Written { card, sealed, .. } = read(file)?;
    let sealed = BASE64.decode(sealed).map_err(|_| ConsoleFileError::Form)?;
    let inside = key_of(code)?.open(&place(&card), &sealed);
    let inside = inside.map_err(|_| ConsoleFileError::Closed)?;
    let inside: Inside =
        serde_json::from_slice(inside.expose()).map_err(|_| ConsoleFileError::Form)?;
    let Inside { authority, certificate, key } = inside;
    Ok(ConsoleIdentity { card, authority, certificate, key: Secret::from_text(key) })
}

fn read(file: &str) -> Result<Written, ConsoleFileError> {
    if file.len() > MOST_BYTES {
        return Err(ConsoleFileError::Form);
    }
    let written: Written = serde_json::from_str(file).map_err(|_| ConsoleFileError::Form)?;
    if written.countersign_console == VERSION { Ok(written) } else { Err(ConsoleFileError::Form) }
}

fn place(card: &ConsoleCard) -> [&[u8]; 6] {
    let ConsoleCard { installation, console, name, operator, address } = card;
    [
        b"console file",
        installation.as_bytes(),
        console.as_bytes(),
        name.as_bytes(),
        operator.as_bytes(),
        address.as_bytes(),
    ]
}

/// The key that a code stands for.
fn key_of(code: &Secret) -> Result<SealingKey, ConsoleFileError> {
    let typed = code.expose_text().ok_or(ConsoleFileError::Closed)?;
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    let plain: Zeroizing<String> =
        Zeroizing::new(letters.map(|it| it.to_ascii_uppercase()).collect());
    if plain.len() != CODE_LETTERS {
        return Err(ConsoleFileError::Closed);
    }
    let master = Digest::of_parts(&[b"countersign console file 1\n", plain.as_bytes()]);
    let master = Secret::new(master.as_bytes().to_vec());
    SealingKey::derive(&master, "console file").map_err(|_| ConsoleFileError::Crypto)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> ConsoleIdentity {
        ConsoleIdentity {
            card: ConsoleCard {
                installation: "1f".to_owned(),
                console: "con_1".to_owned(),
                name: "laptop".to_owned(),
                operator: "Ada".to_owned(),
                address: "gateway.example:7412".to_owned(),
            },
            authority: "AUTHORITY".to_owned(),
            certificate: "CERTIFICATE".to_owned(),
            key: Secret::from_text("KEY".to_owned()),
        }
    }

    #[test]
    fn a_file_opens_with_its_code_however_it_is_typed_and_with_no_other() {
        let given = code([7; 16]);
        let text = given.expose_text().unwrap().to_owned();
        assert_eq!(text.len(), 29, "{text}");
        let file = seal(&identity(), &given, [1; 12]).unwrap();
        assert!(!file.contains("KEY"), "{file}");
        assert_eq!(card(&file).unwrap(), identity().card);
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', " ")] {
            let opened = open(&file, &Secret::from_text(typed)).unwrap();
            assert_eq!(opened.card, identity().card);
            assert_eq!(opened.key.expose_text(), Some("KEY"));
            assert_eq!(
                (opened.authority, opened.certificate),
                ("AUTHORITY".into(), "CERTIFICATE".into())
            );
        }
        for wrong in [
            code([8; 16]),
            Secret::from_text(String::new()),
            Secret::from_text(text.chars().skip(1).collect()),
        ] {
            assert_eq!(open(&file, &wrong).unwrap_err(), ConsoleFileError::Closed);
        }
    }

    #[test]
    fn what_stands_in_clear_cannot_be_changed() {
        let given = code([7; 16]);
        let file = seal(&identity(), &given, [1; 12]).unwrap();
        for (from, to) in [("gateway.example", "evil.example"), ("Ada", "Eve"), ("con_1", "con_2")]
        {
            let changed = file.replace(from, to);
            assert_ne!(changed, file);
            assert_eq!(open(&changed, &given).unwrap_err(), ConsoleFileError::Closed, "{to}");
        }
        for broken in ["", "{}", &file.replace(": 1,", ": 2,"), &"x".repeat(MOST_BYTES + 1)] {
            assert_eq!(open(broken, &given).unwrap_err(), ConsoleFileError::Form);
        }
    }
}
