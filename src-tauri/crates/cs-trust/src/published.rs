//! Published test vectors, where they are at hand: in `shared/vectors` beside the checkout or above
//! it. They are not part of the repository.

use std::path::Path;

use serde_json::Value;

/// A file of Wycheproof's; nothing where it is not there, which is said.
#[expect(clippy::print_stderr, reason = "a test says what it could not do")]
pub(crate) fn wycheproof(name: &str) -> Option<Value> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found =
        above.map(|dir| dir.join("shared/vectors/wycheproof").join(name)).find(|it| it.exists());
    let Some(path) = found else {
        eprintln!("left out: `shared/vectors/wycheproof/{name}` is not beside the checkout");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}
