//! Published test vectors (JSONTestSuite; RFC 8785), where they are at hand: in `shared/vectors`
//! beside the checkout or above it. They are not part of the repository.

use std::path::{Path, PathBuf};

use super::*;

#[expect(clippy::print_stderr, reason = "a test says what it could not do")]
fn folder(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.map(|dir| dir.join("shared/vectors").join(name)).find(|it| it.exists());
    if found.is_none() {
        eprintln!("left out: `shared/vectors/{name}` is not beside the checkout");
    }
    found
}

/// The files of a folder with their names, in order.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Whether bytes are accepted. What is not UTF-8 never becomes a text.
fn accepted(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| checked(text).is_ok())
}

/// Valid JSON that two readers may understand differently: in both, a key stands twice.
const AMBIGUOUS: [&str; 2] =
    ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
fn p11_what_every_reader_accepts_is_accepted_and_what_none_does_is_not() {
    let Some(folder) = folder("jsontestsuite/test_parsing") else { return };
    let (mut yes, mut no) = (0, 0);
    for (name, bytes) in files(&folder) {
        if name.starts_with("y_") {
            assert_eq!(accepted(&bytes), !AMBIGUOUS.contains(&name.as_str()), "{name}");
            yes += 1;
        } else if name.starts_with("n_") {
            assert!(!accepted(&bytes), "{name}");
            no += 1;
        }
    }
    assert!(yes > 90 && no > 180, "{yes} {no}");
}

/// What the standard leaves open and this reader accepts, all of it numbers that a reader may hold
/// less exactly than they are written. [`canonical`] refuses them, and where no canonical form is
/// needed the text goes on as it came.
const ACCEPTED: [&str; 5] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

#[test]
fn p11_p13_of_what_readers_differ_on_only_the_harmless_is_accepted() {
    let Some(folder) = folder("jsontestsuite/test_parsing") else { return };
    let open = files(&folder).into_iter().filter(|(name, _)| name.starts_with("i_"));
    let (mut read, mut exact) = (Vec::new(), Vec::new());
    for (name, bytes) in open {
        if accepted(&bytes) {
            read.push(name.clone());
        }
        if std::str::from_utf8(&bytes).is_ok_and(|text| canonicalised(text).is_ok()) {
            exact.push(name);
        }
    }
    assert_eq!(read, ACCEPTED);
    assert_eq!(exact, [""; 0], "none of them is canonicalised");
}

#[test]
fn o04_the_canonical_form_is_the_published_one() {
    let Some(folder) = folder("jcs") else { return };
    // Two numbers of `values.json` are beyond what every reader holds exactly. They are refused;
    // with others in their place the rest of the file holds.
    let odd = [("333333333.33333329", "0.5"), ("1E30", "7")];
    let even = [("333333333.3333333", "0.5"), ("1e+30", "7")];
    let swap = |text: &str, pairs: [(&str, &str); 2]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let mut tried = 0;
    for (name, bytes) in files(&folder.join("input")) {
        let input = String::from_utf8(bytes).unwrap();
        let expected = std::fs::read_to_string(folder.join("output").join(&name)).unwrap();
        if name == "values.json" {
            assert_eq!(canonicalised(&input), Err(JsonError::Number));
        }
        assert_eq!(canonicalised(&swap(&input, odd)), Ok(swap(&expected, even)), "{name}");
        tried += 1;
    }
    assert_eq!(tried, 6);
}
