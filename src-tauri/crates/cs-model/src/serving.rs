//! How the gateway is to serve, where no flag of its process says otherwise.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How the gateway is to serve.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ServingSettings {
    /// Where it listens: an address with a port. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether it serves TLS. Without, it listens on loopback only.
    pub tls: bool,
    /// The names and addresses by which agents reach it, besides those of this machine itself. The
    /// first is the one that they are given.
    #[serde(default)]
    pub names: Vec<String>,
    /// The oldest version of TLS that is spoken.
    #[serde(default)]
    pub oldest: TlsVersion,
    /// What the record of an allowed call survives.
    #[serde(default)]
    pub durability: Durability,
    /// Where consoles on other machines are let in: an address with a port. Nowhere, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub consoles: Option<SocketAddr>,
}

/// What the record of a call that the policy allows survives, once the call is answered. Whatever
/// else is recorded, denials, countersignatures and changes among it, survives both.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS,
)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of the machine too, such as a power cut: it is on the disk.
    #[default]
    Disk,
    /// The end of the process. A machine that loses its power may forget the last of them.
    Process,
}

/// A version of TLS.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS,
)]
pub enum TlsVersion {
    /// TLS 1.2, for clients that cannot do better.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[default]
    #[serde(rename = "1.3")]
    Tls13,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_spoken_unless_another_is_named() {
        let read = |text: &str| serde_json::from_str::<ServingSettings>(text);
        let settings = read(r#"{"listen":"127.0.0.1:7411","tls":true}"#).unwrap();
        assert_eq!(settings.oldest, TlsVersion::Tls13);
        let older = read(r#"{"listen":"[::1]:0","tls":true,"oldest":"1.2"}"#).unwrap();
        assert_eq!(older.oldest, TlsVersion::Tls12);
        assert!(serde_json::to_string(&older).unwrap().contains(r#""oldest":"1.2""#));
        assert_eq!(older.durability, Durability::Disk, "as long as nobody says otherwise");
        assert_eq!(older.consoles, None, "nobody is let in who was not asked");
        assert!(!serde_json::to_string(&older).unwrap().contains("consoles"));
        let spared = read(r#"{"listen":"[::1]:0","tls":true,"durability":"process"}"#).unwrap();
        assert_eq!(spared.durability, Durability::Process);
        for text in [
            r#"{"listen":"7411","tls":true}"#,
            r#"{"listen":"localhost:7411","tls":true}"#,
            r#"{"listen":"127.0.0.1:7411","tls":true,"oldest":"1.1"}"#,
            r#"{"listen":"127.0.0.1:7411","tls":true,"cipher":"NULL"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
