//! What becomes of a home whose keychain is not what it was. Nothing is ever put in its place.

use std::process::Output;

use countersign_tests::Session;
use countersign_tests::programs::built;
use serde_json::Value;

/// A home with its secrets in the keychain of a session.
struct Home {
    session: Session,
}

impl Home {
    async fn new() -> Self {
        let home = Self { session: Session::start(640, 480).await };
        std::fs::write(home.session.path("passphrase"), "lantern oyster gravel quilt\n").unwrap();
        let made = home.run(&["init", "--starter", "--operator", "Ada"], true).await;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        home
    }

    async fn run(&self, words: &[&str], with_bus: bool) -> Output {
        let mut command = self.session.command(built("countersign"));
        command.arg("--home").arg(self.session.path("registry")).arg("--json");
        command.arg("--passphrase-file").arg(self.session.path("passphrase")).args(words);
        if !with_bus {
            command.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("XDG_RUNTIME_DIR");
        }
        command.output().await.unwrap()
    }

    /// Serves nothing, says why, and leaves everything as it was.
    async fn is_refused(&self, with_bus: bool, why: &[&str]) {
        let before = self.files();
        for words in [&["serve", "--listen", "127.0.0.1:0"][..], &["tenant", "list"]] {
            let refused = self.run(words, with_bus).await;
            assert_eq!(refused.status.code(), Some(1), "{words:?}");
            let told = String::from_utf8_lossy(&refused.stderr);
            let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
            let message = told["message"].as_str().unwrap();
            assert!(why.iter().any(|it| message.contains(it)), "{words:?}: {message}");
        }
        assert_eq!(self.files(), before, "nothing takes the place of the keychain");
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.session.path("registry")).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names.retain(|it| !it.ends_with("-wal") && !it.ends_with("-shm"));
        names
    }

    async fn tool(&self, words: &[&str], input: &str) -> String {
        let shell = "printf '%s' \"$0\" | secret-tool \"$@\"";
        let mut tool = self.session.command("sh");
        let done = tool.args(["-c", shell, input]).args(words).output().await.unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        [done.stdout, done.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat()
    }

    /// The account of the master key, as the keychain has it.
    async fn account(&self) -> String {
        let found = self.tool(&["search", "--all", "service", "countersign"], "").await;
        let accounts = found.lines().filter_map(|it| it.split_once(" = ")).map(|it| it.1);
        accounts.into_iter().find(|it| it.ends_with("/master")).unwrap().to_owned()
    }
}

#[tokio::test]
async fn b05_without_a_keychain_nothing_is_served_and_nothing_takes_its_place() {
    let home = Home::new().await;
    let works = home.run(&["tenant", "list"], true).await;
    assert!(works.status.success(), "{}", String::from_utf8_lossy(&works.stderr));
    home.is_refused(false, &["there is no keychain to use"]).await;
    let again = home.run(&["tenant", "list"], true).await;
    assert!(again.status.success(), "it works again with the keychain");
}

#[tokio::test]
async fn b05_a_keychain_that_lost_the_master_key_or_has_another_is_not_believed() {
    let home = Home::new().await;
    let account = home.account().await;
    let item = ["service", "countersign", "username", account.as_str()];
    home.tool(&[&["clear"][..], &item].concat(), "").await;
    home.is_refused(true, &["has no secret `master` of this installation"]).await;
    // Of another length, and of the right one.
    let store = [&["store", "--label", "countersign"][..], &item].concat();
    home.tool(&store, "not a key").await;
    home.is_refused(true, &["cannot be read; restore them from a backup"]).await;
    home.tool(&store, "thirty-two bytes that are no key").await;
    home.is_refused(true, &["is not the one that this registry was sealed with"]).await;
}

#[tokio::test]
async fn b05_a_locked_keychain_is_said_to_be_locked() {
    let home = Home::new().await;
    let bus = home.session.connect().await;
    let collection =
        zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/aliases/default");
    let answer = bus
        .call_method(
            Some("org.freedesktop.secrets"),
            "/org/freedesktop/secrets",
            Some("org.freedesktop.Secret.Service"),
            "Lock",
            &(vec![collection.unwrap()],),
        )
        .await
        .unwrap();
    let (locked, _): (Vec<zbus::zvariant::OwnedObjectPath>, zbus::zvariant::OwnedObjectPath) =
        answer.body().deserialize().unwrap();
    assert_eq!(locked.len(), 1, "it is locked now");
    home.is_refused(true, &["is locked", "look for a prompt that waits for you"]).await;
}
