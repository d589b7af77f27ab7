//! What a request says: a form, read strictly, in which nothing stands twice.

use std::collections::HashMap;

use super::refused::Refused;

/// The most parameters of one request.
const MOST: usize = 32;

/// A form (`application/x-www-form-urlencoded`). It prints nothing of what it holds.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Reads a form. A parameter without a value counts as left out (RFC 6749, section 3.2).
    pub(super) fn read(body: &[u8]) -> Result<Self, Refused> {
        let invalid = || Refused::Request("body_invalid");
        let text = std::str::from_utf8(body).map_err(|_| invalid())?;
        let mut found = HashMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = decoded(name).zip(decoded(value)).ok_or_else(invalid)?;
            if found.len() >= MOST {
                return Err(invalid());
            }
            if found.contains_key(&name) {
                // Several are allowed in general (RFC 8707), and mean a token that is good in
                // several places.
                let several = name == "resource";
                let doubled = Refused::Target("resource_several");
                return Err(if several { doubled } else { invalid() });
            }
            found.insert(name, value);
        }
        found.retain(|_, value| !value.is_empty());
        Ok(Self(found))
    }

    /// What stands for a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A text that was written for a form. Nothing for what no form would have.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            0x21..=0x7e => byte,
            _ => return None,
        };
        bytes.push(plain);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_in_one_way_only() {
        let form = Form::read(b"a=1&b=x+y%2Bz&c=&d").ok().unwrap();
        assert_eq!((form.get("a"), form.get("b")), (Some("1"), Some("x y+z")));
        assert_eq!((form.get("c"), form.get("d"), form.get("e")), (None, None, None));
        for odd in
            ["a=%", "a=%1", "a=%+1", "a=%zz", "a=%ff", "a=%00", "a=\u{e4}", "a=1&a=1", "a=1&%61=2"]
        {
            assert!(matches!(Form::read(odd.as_bytes()), Err(Refused::Request(_))), "{odd}");
        }
        let several = Form::read(b"resource=x&resource=x");
        assert!(matches!(several, Err(Refused::Target(_))));
        let many: Vec<_> = (0..40).map(|it| format!("p{it}=1")).collect();
        assert!(Form::read(many.join("&").as_bytes()).is_err());
    }
}
