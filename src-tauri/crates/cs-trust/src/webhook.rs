//! The key that notices to a web server are signed with, in the form of Standard Webhooks:
//! HMAC-SHA256 over the notice's id, the second in which it is sent, and its body.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::{Secret, Timestamp};

/// What the text of every such key begins with.
const PREFIX: &str = "whsec_";

/// How many bytes it has.
const BYTES: RangeInclusive<usize> = 24..=64;

/// A key that notices are signed with.
pub struct WebhookKey(hmac::Key);

impl WebhookKey {
    /// Reads a key: `whsec_` and 24 to 64 bytes in Base64. Nothing else is one.
    pub fn read(text: &Secret) -> Option<Self> {
        let coded = text.expose_text()?.strip_prefix(PREFIX)?;
        let bytes = Secret::new(STANDARD.decode(coded).ok()?);
        BYTES
            .contains(&bytes.expose().len())
            .then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, bytes.expose())))
    }

    /// The signature of a notice, as it stands in `webhook-signature`.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let signed = format!("{id}.{}.{body}", at.secs());
        format!("v1,{}", STANDARD.encode(hmac::sign(&self.0, signed.as_bytes())))
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<WebhookKey> {
        WebhookKey::read(&Secret::from_text(text.to_owned()))
    }

    // The example of the specification; computed again with Python's `hmac`.
    #[test]
    fn a_notice_is_signed_as_standard_webhooks_has_it() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_millis(1_614_265_330_999);
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_a_key_of_the_right_form_and_length_is_one() {
        let coded = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (bytes, sound) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(key(&coded(bytes)).is_some(), sound, "{bytes}");
        }
        for text in ["", "whsec_", "hunter2", "whsec_not base64!", &coded(32).replace("whsec_", "")]
        {
            assert!(key(text).is_none(), "{text}");
        }
    }
}
