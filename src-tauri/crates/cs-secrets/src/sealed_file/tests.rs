use super::*;

fn phrase_of(text: &str) -> Secret {
    Secret::from_text(text.to_owned())
}

fn quick(path: &Path) -> SealedFile {
    SealedFile { work: 4, ..SealedFile::at(path) }
}

async fn with_a_secret(path: &Path) -> SealedFile {
    let file = quick(path);
    let passphrase = phrase_of("open sesame");
    file.replace(Opened { passphrase, items: BTreeMap::new() }).await.unwrap();
    file.put("master", &Secret::new(vec![7; 32])).await.unwrap();
    file
}

#[tokio::test]
async fn secrets_survive_the_process_and_need_the_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    with_a_secret(&path).await;

    let again = quick(&path);
    assert!(again.is_sealed());
    assert!(matches!(again.get("master").await, Err(SecretError::Locked { .. })));
    let wrong = again.unseal(&phrase_of("open barley")).await;
    assert!(matches!(wrong, Err(SecretError::WrongPassphrase)), "{wrong:?}");
    assert!(again.is_sealed());
    again.unseal(&phrase_of("open sesame")).await.unwrap();
    assert_eq!(again.get("master").await.unwrap().expose(), [7; 32]);
    assert!(matches!(again.get("other").await, Err(SecretError::Missing { .. })));
    again.delete("master").await.unwrap();
    again.delete("master").await.unwrap();
    assert!(matches!(again.get("master").await, Err(SecretError::Missing { .. })));
}

#[tokio::test]
async fn the_passphrase_of_the_file_changes_in_one_step_with_what_it_seals() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    let file = with_a_secret(&path).await;
    let [key, next] = ["key", "another phrase"].map(phrase_of);
    // Somebody else's passphrase, which does not open the file.
    file.reseal("operator", &key, &phrase_of("open barley"), &next).await.unwrap();
    quick(&path).unseal(&phrase_of("open sesame")).await.unwrap();
    file.reseal("operator", &key, &phrase_of("open sesame"), &next).await.unwrap();
    let again = quick(&path);
    let old = again.unseal(&phrase_of("open sesame")).await;
    assert!(matches!(old, Err(SecretError::WrongPassphrase)), "{old:?}");
    again.unseal(&next).await.unwrap();
    assert_eq!(again.get("operator").await.unwrap().expose(), b"key");
    assert_eq!(again.get("master").await.unwrap().expose(), [7; 32]);
    // What is written next stays under it.
    again.put("master", &Secret::new(vec![8; 32])).await.unwrap();
    quick(&path).unseal(&next).await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_secret_stands_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    let file = with_a_secret(&path).await;
    file.put("note", &Secret::from_text("attack at dawn".to_owned())).await.unwrap();
    let bytes = fs::read(&path).unwrap();
    let encoded = STANDARD.encode("attack at dawn");
    for needle in ["attack at dawn", encoded.as_str(), "note"] {
        assert!(!bytes.windows(needle.len()).any(|it| it == needle.as_bytes()), "{needle}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    with_a_secret(&path).await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_old_secrets() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    let file = with_a_secret(&path).await;
    // A folder where the new file would be written cannot be replaced by it.
    fs::create_dir(home.path().join("secrets.new")).unwrap();
    assert!(file.put("master", &Secret::new(vec![8; 32])).await.is_err());
    assert_eq!(file.get("master").await.unwrap().expose(), [7; 32]);
    let again = quick(&path);
    again.unseal(&phrase_of("open sesame")).await.unwrap();
    assert_eq!(again.get("master").await.unwrap().expose(), [7; 32]);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    with_a_secret(&path).await;
    let whole = fs::read(&path).unwrap();
    let cases: [(&str, Vec<u8>); 3] = [
        ("empty", Vec::new()),
        ("cut", whole[..whole.len() - 1].to_vec()),
        ("no age file", b"hello".to_vec()),
    ];
    for (name, content) in cases {
        fs::write(&path, &content).unwrap();
        let refused = quick(&path).unseal(&phrase_of("open sesame")).await;
        assert!(refused.is_err(), "{name}");
        assert_eq!(fs::read(&path).unwrap(), content, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_not_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secrets.age");
    fs::write(&path, b"somebody else's").unwrap();
    assert!(SealedFile::create(&path, &phrase_of("x")).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
}
