//! Templates of servers: how a server is reached, with places that each tenant fills in itself.
//!
//! A place is `${name}`, in an argument, a value of the environment, the working directory, the
//! URL or a header. Secrets need no place: a setting that names one means the secret that the
//! tenant keeps under that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::upstream::{Setting, Transport};

/// The most characters that a tenant may put into a place.
pub const MOST_VALUE: usize = 512;

/// The most characters in the name of a place.
const MOST_NAME: usize = 32;

/// Why a template means nothing, or cannot be filled in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// `${` begins what is not a place.
    #[error("`${{` begins a place, such as `${{folder}}`: its name has a-z, 0-9 and `_`, and `}}`")]
    Place,
    /// A place where none may be: tenants do not choose programs.
    #[error("the program of a template is the same for every tenant; `{name}` has no place in it")]
    Program {
        /// The place's name.
        name: String,
    },
    /// A place that nothing is said for.
    #[error("nothing is set for `{name}`")]
    Missing {
        /// The place's name.
        name: String,
    },
    /// Something is said for a place that is not there.
    #[error("the template has no place `{name}`")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// A value that cannot be put into a place.
    #[error("what is set for `{name}` must have 1 to 512 characters, and no control character")]
    Value {
        /// The place's name.
        name: String,
    },
}

/// One piece of a text with places.
enum Piece<'t> {
    Text(&'t str),
    Place(&'t str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or(TemplateError::Place)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=MOST_NAME).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(TemplateError::Place);
        }
        pieces.extend([Piece::Text(before), Piece::Place(name)]);
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Rewrites every text of a transport that may have places. The program may have none.
fn each(
    transport: &Transport,
    mut rewrite: impl FnMut(&str) -> Result<String, TemplateError>,
) -> Result<Transport, TemplateError> {
    let settings = |all: &BTreeMap<String, Setting>, rewrite: &mut dyn FnMut(&str) -> _| {
        let one = |(name, setting): (&String, &Setting)| {
            let setting = match setting {
                Setting::Text(text) => Setting::Text(rewrite(text)?),
                secret @ Setting::Secret { .. } => secret.clone(),
            };
            Ok((name.clone(), setting))
        };
        all.iter().map(one).collect::<Result<BTreeMap<_, _>, TemplateError>>()
    };
    Ok(match transport {
        Transport::Stdio { command, args, env, cwd } => {
            if let Some(Piece::Place(name)) =
                pieces(command)?.into_iter().find(|it| matches!(it, Piece::Place(_)))
            {
                return Err(TemplateError::Program { name: name.to_owned() });
            }
            Transport::Stdio {
                command: command.clone(),
                args: args.iter().map(|arg| rewrite(arg)).collect::<Result<_, _>>()?,
                env: settings(env, &mut rewrite)?,
                cwd: cwd.as_deref().map(&mut rewrite).transpose()?,
            }
        }
        Transport::Http { url, headers } => {
            Transport::Http { url: rewrite(url)?, headers: settings(headers, &mut rewrite)? }
        }
    })
}

/// The places of a template, by name.
///
/// # Errors
///
/// When it is not a template: [`TemplateError::Place`], [`TemplateError::Program`].
pub fn places(template: &Transport) -> Result<BTreeSet<String>, TemplateError> {
    let mut names = BTreeSet::new();
    each(template, |text| {
        for piece in pieces(text)? {
            if let Piece::Place(name) = piece {
                names.insert(name.to_owned());
            }
        }
        Ok(text.to_owned())
    })?;
    Ok(names)
}

/// The names of the secrets that a tenant has to keep for a template.
pub fn secrets(template: &Transport) -> BTreeSet<String> {
    let (Transport::Stdio { env: settings, .. } | Transport::Http { headers: settings, .. }) =
        template;
    let named = settings.values().filter_map(|setting| match setting {
        Setting::Secret { secret } => Some(secret.clone()),
        Setting::Text(_) => None,
    });
    named.collect()
}

/// A template with its places filled in, each once: what is put in is never looked at for places.
///
/// # Errors
///
/// When a place is left empty, a value is none, or there is a value too many.
pub fn fill(
    template: &Transport,
    values: &BTreeMap<String, String>,
) -> Result<Transport, TemplateError> {
    let places = places(template)?;
    if let Some(name) = values.keys().find(|name| !places.contains(*name)) {
        return Err(TemplateError::Unknown { name: name.clone() });
    }
    for (name, value) in values {
        let long = value.is_empty() || value.chars().nth(MOST_VALUE).is_some();
        if long || value.chars().any(char::is_control) {
            return Err(TemplateError::Value { name: name.clone() });
        }
    }
    each(template, |text| {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Place(name) => {
                    let missing = || TemplateError::Missing { name: name.to_owned() };
                    filled.push_str(values.get(name).ok_or_else(missing)?);
                }
            }
        }
        Ok(filled)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Transport {
        let json = r#"{"kind":"stdio","command":"/usr/bin/files",
            "args":["--root=${folder}","--as","${tenant}-${tenant}"],
            "env":{"TOKEN":{"secret":"files"},"WHERE":"${folder}"},"cwd":"${folder}"}"#;
        serde_json::from_str(json).unwrap()
    }

    fn values(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_place_is_filled_in_once_and_values_are_never_looked_at_for_places() {
        assert_eq!(places(&files()).unwrap(), ["folder".to_owned(), "tenant".to_owned()].into());
        assert_eq!(secrets(&files()), ["files".to_owned()].into());
        let filled = fill(&files(), &values(&[("folder", "/${tenant}"), ("tenant", "a b")]));
        let Transport::Stdio { command, args, env, cwd } = filled.unwrap() else { panic!() };
        assert_eq!(command, "/usr/bin/files");
        assert_eq!(args, ["--root=/${tenant}", "--as", "a b-a b"]);
        assert_eq!(cwd.as_deref(), Some("/${tenant}"));
        assert_eq!(env["WHERE"], Setting::Text("/${tenant}".to_owned()));
        assert_eq!(env["TOKEN"], Setting::Secret { secret: "files".to_owned() });
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        let missing = TemplateError::Missing { name: "tenant".to_owned() };
        assert_eq!(fill(&files(), &values(&[("folder", "x")])), Err(missing));
        let all = [("folder", "x"), ("tenant", "y"), ("other", "z")];
        let unknown = TemplateError::Unknown { name: "other".to_owned() };
        assert_eq!(fill(&files(), &values(&all)), Err(unknown));
        for value in ["", "a\nb", &"x".repeat(513)] {
            let refused = fill(&files(), &values(&[("folder", value), ("tenant", "y")]));
            assert_eq!(refused, Err(TemplateError::Value { name: "folder".to_owned() }), "{value}");
        }
    }

    #[test]
    fn a_template_chooses_the_program_for_everybody_and_has_whole_places_only() {
        let of = |command: &str, arg: &str| {
            let (command, args) = (command.to_owned(), vec![arg.to_owned()]);
            places(&Transport::Stdio { command, args, env: BTreeMap::new(), cwd: None })
        };
        assert_eq!(of("/x", "$ {a} $a }"), Ok(BTreeSet::new()));
        let program = TemplateError::Program { name: "tool".to_owned() };
        assert_eq!(of("/bin/${tool}", ""), Err(program));
        for arg in ["${", "${}", "${A}", "${a b}", "a${b", &format!("${{{}}}", "x".repeat(33))] {
            assert_eq!(of("/x", arg), Err(TemplateError::Place), "{arg}");
        }
        let url = Transport::Http { url: "https://${host}/".to_owned(), headers: BTreeMap::new() };
        assert_eq!(places(&url).unwrap(), ["host".to_owned()].into());
    }
}
