//! Secrets in HashiCorp Vault or OpenBao, by a server that answers as they do, and moves between
//! that and a sealed file.

mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cs_model::Secret;
use cs_secrets::{SecretError, SecretStore as _, VaultLogin, VaultPlace, VaultServer};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::server::{JWT, NAMESPACE, ROLE, SECRET_ID, Vault};
use crate::place::{Place, peers, python};

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, format!("{text}\n")).expect("a file");
    path
}

fn place(vault: &Vault, folder: &Path) -> VaultPlace {
    VaultPlace {
        address: vault.address.clone(),
        namespace: Some(NAMESPACE.to_owned()),
        mount: "kv/a".to_owned(),
        path: "countersign".to_owned(),
        shelf: None,
        ca_file: None,
        login: VaultLogin::AppRole {
            mount: "approle".to_owned(),
            role_id: ROLE.to_owned(),
            secret_id_file: file(folder, "secret-id", SECRET_ID),
        },
    }
}

fn store(place: VaultPlace) -> VaultServer {
    VaultServer::at(place, "3f0c").expect("a place")
}

fn secret(byte: u8) -> Secret {
    Secret::new(vec![byte; 32])
}

#[tokio::test]
async fn a_secret_is_kept_in_one_version_until_it_is_deleted() {
    let (vault, folder) = (Vault::start().await, TempDir::new().expect("a folder"));
    let store = store(place(&vault, folder.path()));
    let missing = store.get("master").await.expect_err("nothing");
    assert!(matches!(missing, SecretError::Missing { .. }), "{missing:?}");
    for byte in [7, 8, 9] {
        store.put("operator/opr_1/next", &secret(byte)).await.expect("kept");
    }
    store.put("master", &secret(1)).await.expect("kept");
    assert_eq!(store.get("operator/opr_1/next").await.expect("there").expose(), [9; 32]);
    // What was there before is not kept as an older version.
    let kept = vault.kept();
    assert_eq!(kept.get("countersign/3f0c/operator/opr_1/next"), Some(&1), "{kept:?}");
    store.delete("operator/opr_1/next").await.expect("deleted");
    store.delete("operator/opr_1/next").await.expect("deleted before");
    assert_eq!(vault.kept().keys().collect::<Vec<_>>(), ["countersign/3f0c/master"]);
    assert_eq!(vault.state().logins, 1, "one login serves all");
}

#[tokio::test]
async fn whoever_comes_with_a_jwt_is_let_in_and_the_file_is_read_anew() {
    let (vault, folder) = (Vault::start().await, TempDir::new().expect("a folder"));
    let mut place = place(&vault, folder.path());
    let jwt_file = file(folder.path(), "jwt", "stale");
    let (mount, role) = ("kubernetes-a".to_owned(), "countersign".to_owned());
    place.login = VaultLogin::Jwt { mount, role, jwt_file };
    let store = store(place);
    let refused = store.put("master", &secret(1)).await.expect_err("a stale file");
    assert!(matches!(refused, SecretError::Refused { .. }), "{refused:?}");
    assert!(refused.to_string().contains("does not take this login"), "{refused}");
    file(folder.path(), "jwt", JWT);
    store.put("master", &secret(1)).await.expect("kept");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_one_that_is_gone_is_replaced() {
    let (vault, folder) = (Vault::start().await, TempDir::new().expect("a folder"));
    vault.state().lasts = Duration::from_secs(3);
    let store = store(place(&vault, folder.path()));
    store.put("master", &secret(1)).await.expect("kept");
    tokio::time::sleep(Duration::from_millis(2200)).await;
    store.get("master").await.expect("there");
    assert_eq!(vault.state().logins, 1);
    assert_eq!(vault.state().renewals, 1);

    vault.state().renewable = false;
    vault.revoke_tokens();
    store.get("master").await.expect("there");
    assert_eq!(vault.state().logins, 2, "one that Vault forgot is replaced");
    tokio::time::sleep(Duration::from_millis(3200)).await;
    store.get("master").await.expect("there");
    assert_eq!(vault.state().logins, 3, "one that cannot be renewed is replaced when it ends");
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart() {
    let (vault, folder) = (Vault::start().await, TempDir::new().expect("a folder"));
    let here = place(&vault, folder.path());
    let opened = store(here.clone());
    opened.put("master", &secret(1)).await.expect("kept");

    vault.state().sealed = true;
    let sealed = opened.get("master").await.expect_err("sealed");
    assert!(matches!(sealed, SecretError::Locked { .. }), "{sealed:?}");
    assert!(sealed.to_string().contains("unseal"), "{sealed}");
    vault.state().sealed = false;

    vault.state().allowed = "others/".to_owned();
    let refused = opened.get("master").await.expect_err("another policy");
    assert!(matches!(refused, SecretError::Refused { .. }), "{refused:?}");
    assert!(refused.to_string().contains("secrets policy"), "{refused}");
    vault.state().allowed = "countersign/".to_owned();

    vault.state().slow = Duration::from_secs(11);
    let slow = opened.get("master").await.expect_err("slow");
    assert!(matches!(slow, SecretError::TimedOut { .. }), "{slow:?}");
    assert!(slow.to_string().starts_with("Vault did not answer within 10 s"), "{slow}");
    vault.state().slow = Duration::ZERO;

    // What Vault answers may be a secret, also where it cannot be understood.
    vault.state().garbled = true;
    let garbled = opened.get("master").await.expect_err("garbled");
    assert!(matches!(garbled, SecretError::Damaged { .. }), "{garbled:?}");
    assert!(!format!("{garbled:?}").contains("AQEB"), "{garbled:?}");
    vault.state().garbled = false;

    let wrong = |change: fn(&mut VaultPlace)| {
        let mut place = here.clone();
        change(&mut place);
        store(place)
    };
    let elsewhere = wrong(|it| it.address = "http://127.0.0.1:9".to_owned());
    let gone = elsewhere.get("master").await.expect_err("nobody there");
    assert!(matches!(gone, SecretError::Failed { .. }), "{gone:?}");
    let other = wrong(|it| it.namespace = Some("team/b".to_owned()));
    assert!(other.get("master").await.is_err(), "another namespace");
    file(folder.path(), "secret-id", "another");
    let stranger = store(here.clone()).get("master").await.expect_err("a stranger");
    assert!(matches!(stranger, SecretError::Refused { .. }), "{stranger:?}");
    assert!(!format!("{stranger:?}{stranger}").contains("another"), "{stranger:?}");
    let far = VaultPlace { address: "http://vault.example".to_owned(), ..here };
    let far = VaultServer::at(far, "3f0c").expect_err("without TLS");
    assert!(matches!(far, SecretError::Misplaced { .. }), "{far:?}");
}

/// How the command line is told of the server.
fn told(vault: &Vault, folder: &Path) -> Vec<String> {
    let secret_id = file(folder, "secret-id", SECRET_ID);
    let words = [
        "vault",
        "--vault",
        &vault.address,
        "--vault-namespace",
        NAMESPACE,
        "--vault-mount",
        "kv/a",
        "--vault-role",
        ROLE,
        "--vault-file",
    ];
    let path = secret_id.to_string_lossy().into_owned();
    words.iter().map(|&word| word.to_owned()).chain([path]).collect()
}

fn again(words: &[String]) -> Vec<&str> {
    ["secrets", "move"].into_iter().chain(words.iter().map(String::as_str)).collect()
}

async fn move_to(place: &Place, words: &[String]) -> Value {
    place.ask(&again(words)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_secrets_move_to_vault_and_back_while_the_gateway_serves() {
    let (vault, folder) = (Vault::start().await, TempDir::new().expect("a folder"));
    let mut place = Place::starter().await;
    let sealed = place.path().join("home/secrets.age");
    assert!(sealed.exists());

    // Vault fails in the middle: nothing has changed, and it is known what is left there.
    vault.state().writes = Some(2);
    let words = told(&vault, folder.path());
    let failed = place.ask_in_vain(&again(&words)).await;
    assert!(failed.contains("write to Vault"), "{failed}");
    let shown = place.ask(&["secrets", "show"]).await;
    assert_eq!((&shown["store"], &shown["moving"]["copied"]), (&json!("file"), &json!(false)));
    assert!(sealed.exists());
    let elsewhere = place.ask_in_vain(&["secrets", "move", "keychain"]).await;
    assert!(elsewhere.contains("go on with that one, or give it up"), "{elsewhere}");

    // Given up, nothing is left there; gone on with, all is there.
    vault.state().writes = None;
    place.ask(&["secrets", "stay"]).await;
    assert!(vault.kept().is_empty(), "{:?}", vault.kept());
    let moved = move_to(&place, &words).await;
    assert_eq!((&moved["store"], &moved["moving"]), (&json!("vault"), &Value::Null), "{moved}");
    assert!(!sealed.exists(), "the file is gone");
    let kept = vault.kept();
    assert!(kept.keys().any(|path| path.ends_with("/master")), "{kept:?}");
    assert!(kept.values().all(|&versions| versions == 1), "{kept:?}");

    // What Vault has is what its own client reads, in one version.
    let path = kept.keys().find(|path| path.ends_with("/master")).expect("the master key");
    let mut hvac = python();
    hvac.arg(peers("vault.py")).args([&vault.address, NAMESPACE, ROLE, SECRET_ID, "kv/a", path]);
    let read = hvac.output().await.expect("it runs");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).expect("JSON");
    assert_eq!((&read["bytes"], &read["versions"]), (&json!(32), &json!(1)), "{read}");

    // A new process finds them there, and signs.
    place.again().await;
    let issued = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    assert!(issued["secret"].as_str().is_some_and(|it| it.starts_with("css_")));
    vault.revoke_tokens();
    place.ask(&["issuer", "set", "--enable", "--tenant", "acme"]).await;
    assert!(vault.kept().keys().any(|path| path.contains("/issuer/")), "{:?}", vault.kept());

    // The same place under another name is another shelf of it: what is copied is not what it is
    // copied from, and nothing is lost when the first one is emptied.
    let before = vault.kept();
    let other: Vec<String> = words.iter().map(|it| it.replace("127.0.0.1", "localhost")).collect();
    assert_ne!(other, words);
    let moved = move_to(&place, &other).await;
    assert_eq!((&moved["store"], &moved["moving"]), (&json!("vault"), &Value::Null), "{moved}");
    let after = vault.kept();
    assert_eq!(after.len(), before.len(), "{before:?} {after:?}");
    assert!(after.keys().all(|path| !before.contains_key(path)), "{after:?}");
    place.again().await;
    place.ask(&["issuer", "rotate", "--tenant", "acme"]).await;
    let same = place.ask_in_vain(&again(&other)).await;
    assert!(same.contains("already"), "{same}");

    let back = move_to(&place, &["file".to_owned()]).await;
    assert_eq!((&back["store"], &back["moving"]), (&json!("file"), &Value::Null), "{back}");
    assert!(vault.kept().is_empty(), "{:?}", vault.kept());
    assert!(sealed.exists());
    let told = format!("{:?}", place.lines(&["audit", "list"]).await);
    assert!(
        told.contains("from the file of sealed secrets to Vault at http://127.0.0.1:"),
        "{told}"
    );
    place.again().await;
    place.ask(&["issuer", "rotate", "--tenant", "acme"]).await;
}
