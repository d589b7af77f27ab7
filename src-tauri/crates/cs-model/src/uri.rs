//! URIs, and the templates that stand for many of them (RFC 6570).
//!
//! What a template lets through is decided here and nowhere else, and narrowly: of two readings
//! of a URI, a server may take the other one.

use crate::name::NameError;

/// The most expressions of a template.
const MOST_EXPRESSIONS: usize = 16;

/// Which characters the value of an expression may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Class {
    /// `{x}`: unreserved and percent-encoded ones.
    Simple,
    /// `{+x}`: reserved ones too.
    Reserved,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Literal(String),
    Value(Class),
}

/// A template, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UriTemplate {
    parts: Vec<Part>,
    variables: Vec<String>,
}

/// Why URIs cannot be held against a template. Nothing is read through it then.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UriTemplateError {
    /// A brace has no counterpart, or an expression names nothing.
    #[error("its braces do not make expressions")]
    Braces,
    /// It has none, or more than anybody needs.
    #[error("it has no expression, or more than 16")]
    Count,
    /// An expression is of a form that is not known here.
    #[error("it has an expression other than `{{name}}` and `{{+name}}`")]
    Expression,
    /// It does not begin with the scheme of a URI.
    #[error("it does not begin with a scheme")]
    Scheme,
}

impl UriTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Why URIs cannot be held against it.
    pub fn parse(text: &str) -> Result<Self, UriTemplateError> {
        let (mut parts, mut variables) = (Vec::new(), Vec::new());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (expression, after) = after.split_once('}').ok_or(UriTemplateError::Braces)?;
            if before.contains('}') || expression.is_empty() {
                return Err(UriTemplateError::Braces);
            }
            let (class, name) = match expression.strip_prefix('+') {
                Some(name) => (Class::Reserved, name),
                None => (Class::Simple, expression),
            };
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            let named = |part: &str| !part.is_empty() && part.bytes().all(plain);
            if !name.split('.').all(named) {
                return Err(UriTemplateError::Expression);
            }
            parts.push(Part::Literal(before.to_owned()));
            parts.push(Part::Value(class));
            variables.push(name.to_owned());
            rest = after;
        }
        if rest.contains('}') {
            return Err(UriTemplateError::Braces);
        }
        parts.push(Part::Literal(rest.to_owned()));
        if !(1..=MOST_EXPRESSIONS).contains(&variables.len()) {
            return Err(UriTemplateError::Count);
        }
        match parts.first() {
            Some(Part::Literal(first)) if scheme(first).is_some() => Ok(Self { parts, variables }),
            Some(Part::Literal(_) | Part::Value(_)) | None => Err(UriTemplateError::Scheme),
        }
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }

    /// Whether a URI is one that it stands for, however the server reads it.
    pub fn matches(&self, uri: &str) -> bool {
        if !is_uri(uri) || !is_unambiguous(uri) {
            return false;
        }
        let bytes = uri.as_bytes();
        // Where the parts so far may have ended.
        let mut ends = vec![false; bytes.len().saturating_add(1)];
        if let Some(start) = ends.first_mut() {
            *start = true;
        }
        for part in &self.parts {
            ends = match part {
                Part::Literal(literal) => after_literal(&ends, bytes, literal.as_bytes()),
                Part::Value(class) => after_value(&ends, bytes, *class),
            };
        }
        ends.last().copied().unwrap_or(false)
    }
}

fn after_literal(ends: &[bool], uri: &[u8], literal: &[u8]) -> Vec<bool> {
    let mut next = vec![false; ends.len()];
    for (at, _) in ends.iter().enumerate().filter(|(_, end)| **end) {
        let fits = uri.get(at..).is_some_and(|rest| rest.starts_with(literal));
        if let Some(end) = next.get_mut(at.saturating_add(literal.len())).filter(|_| fits) {
            *end = true;
        }
    }
    next
}

fn after_value(ends: &[bool], uri: &[u8], class: Class) -> Vec<bool> {
    let mut next = Vec::with_capacity(ends.len());
    let mut inside = false;
    next.push(false);
    for (end, b) in ends.iter().zip(uri) {
        inside = (inside || *end) && class.has(*b);
        next.push(inside);
    }
    next
}

impl Class {
    const fn has(self, b: u8) -> bool {
        match self {
            Self::Simple => is_unreserved(b) || b == b'%',
            Self::Reserved => is_unreserved(b) || b == b'%' || is_reserved(b),
        }
    }
}

const fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

const fn is_reserved(b: u8) -> bool {
    matches!(b, b':' | b'/' | b'?' | b'#' | b'[' | b']' | b'@' | b'!' | b'$' | b'&' | b'\'')
        || matches!(b, b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// The scheme of a URI, as it was written.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let mut bytes = scheme.bytes();
    let begins = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    (begins && bytes.all(plain)).then_some(scheme)
}

/// Whether what is at a URI, or is made by a template, is a page for people to use (MCP Apps).
pub fn is_interface(uri: &str) -> bool {
    scheme(uri).is_some_and(|it| it.eq_ignore_ascii_case("ui"))
}

/// The bytes with what is percent-encoded decoded, once.
fn decoded(uri: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let digit = |b: Option<u8>| char::from(b?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
        } else {
            bytes.push(b);
        }
    }
    Some(bytes)
}

/// Whether a text has the characters of a URI (RFC 3986), and begins with a scheme.
pub(crate) fn is_uri(text: &str) -> bool {
    let known = |b: u8| is_unreserved(b) || is_reserved(b) || b == b'%';
    scheme(text).is_some_and(|it| it.len() < text.len().saturating_sub(1))
        && text.bytes().all(known)
        && decoded(text).is_some()
}

/// Whether everybody finds the same path in a URI. Servers decode once or twice, before or after
/// they take a path apart, and then follow its dots.
fn is_unambiguous(uri: &str) -> bool {
    let Some(text) = decoded(uri).and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let hidden = |sign: char| text.matches(sign).count() != uri.matches(sign).count();
    if ['/', '?', '#', ';', ':'].into_iter().any(hidden)
        || text.contains(['\\', '%'])
        || text.chars().any(crate::text::is_deceptive)
    {
        return false;
    }
    let Some((_, inside)) = text.split_once(':') else { return false };
    let inside = inside.strip_prefix("//").unwrap_or(inside);
    let dots = |segment: &str| matches!(segment.trim(), "." | "..");
    !inside.contains("//") && !inside.split(['/', '?', '#', ';', '&', '=', ':']).any(dots)
}

/// Reads the text of a template as a name: its characters, whether or not its expressions are of
/// a form that is known here.
pub(crate) fn check(text: &str) -> Result<(), NameError> {
    let outside = |b: u8| is_unreserved(b) || is_reserved(b) || b == b'%';
    let known = |b: u8| outside(b) || matches!(b, b'{' | b'}' | b'|');
    let begins = text.split('{').next().and_then(scheme).is_some();
    if begins && text.contains('{') && text.bytes().all(known) {
        Ok(())
    } else {
        Err(NameError::Template)
    }
}

#[cfg(test)]
mod tests;
