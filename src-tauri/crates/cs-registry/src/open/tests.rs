use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use cs_model::Digest;

use super::*;
use crate::testing::{Fixture, instance, saying};
use crate::{Registry, RegistryError, Trouble};

/// Every file of the folder with the digest of its content.
fn content(folder: &Path) -> Vec<(PathBuf, Digest)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("registry.db-lock"))
        .map(|path| (path.clone(), Digest::of(&std::fs::read(&path).unwrap())))
        .collect();
    files.sort();
    files
}

async fn refusal(path: &Path) -> OpenError {
    let before = content(path.parent().unwrap());
    let error = Registry::open(path).await.unwrap_err();
    assert_eq!(content(path.parent().unwrap()), before, "a refusal changes nothing");
    error
}

/// A registry that is closed, changed by other means.
async fn changed(statement: &'static str) -> Fixture {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    let mut db = options(&fixture.path()).connect().await.unwrap();
    sqlx::query(statement).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    fixture
}

#[tokio::test]
async fn a_new_registry_is_private_and_opens_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home").join("registry.db");
    let registry = Registry::create(&path, &instance()).await.unwrap();
    registry.record(vec![saying("first")]).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in ["", "-wal", "-shm", "-lock", "-journal-audit"] {
        let file = format!("registry.db{file}");
        assert_eq!(mode(&path.with_file_name(&file)), 0o600, "{file}");
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    registry.close().await.unwrap();
    let files = content(path.parent().unwrap());
    assert_eq!(files.len(), 1, "all is in one file: {files:?}");

    let registry = Registry::open(&path).await.unwrap();
    assert_eq!(registry.instance(), &instance());
    let again = Registry::create(&path, &instance()).await;
    assert!(matches!(again, Err(OpenError::Busy)));
    registry.close().await.unwrap();
    let again = Registry::create(&path, &instance()).await;
    assert!(matches!(again, Err(OpenError::Exists)));
}

#[tokio::test]
async fn b04_a_registry_that_others_can_read_is_made_private_when_it_opens() {
    let fixture = Fixture::empty().await;
    fixture.registry.close().await.unwrap();
    std::fs::set_permissions(fixture.path(), std::fs::Permissions::from_mode(0o664)).unwrap();
    let registry = Registry::open(&fixture.path()).await.unwrap();
    registry.record(vec![saying("first")]).await.unwrap();
    for file in ["registry.db", "registry.db-wal", "registry.db-shm"] {
        let found = std::fs::metadata(fixture.path().with_file_name(file)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn the_last_migration_is_the_schema_that_is_written() {
    let last = MIGRATIONS.iter().map(|migration| migration.version).max();
    assert_eq!(last, Some(i64::from(SCHEMA)));
    let fixture = Fixture::empty().await;
    fixture.registry.close().await.unwrap();
    check_header(&fixture.path()).unwrap();
}

#[tokio::test]
async fn the_connections_are_set_up_for_durability() {
    let fixture = Fixture::empty().await;
    let wanted: &[(&str, &str)] = &[
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA trusted_schema", "0"),
        ("PRAGMA cell_size_check", "1"),
        ("PRAGMA secure_delete", "1"),
    ];
    let mut writer = fixture.registry.begin().await.unwrap();
    let mut reader = fixture.registry.read().await.unwrap();
    for (pragma, value) in wanted {
        for db in [&mut *writer, &mut *reader] {
            let row = sqlx::query(*pragma).fetch_one(db).await.unwrap();
            let found = sqlx::Row::try_get::<i64, _>(&row, 0)
                .map(|number| number.to_string())
                .or_else(|_| sqlx::Row::try_get::<String, _>(&row, 0))
                .unwrap();
            assert_eq!(found, *value, "{pragma}");
        }
    }
}

#[tokio::test]
async fn f08_a_second_opener_is_refused_and_the_first_goes_on() {
    let fixture = Fixture::new().await;
    assert!(matches!(Registry::open(&fixture.path()).await, Err(OpenError::Busy)));
    fixture.registry.record(vec![saying("goes on")]).await.unwrap();
    fixture.registry.close().await.unwrap();
    Registry::open(&fixture.path()).await.unwrap();
}

#[tokio::test]
async fn a_registry_of_a_newer_version_is_refused_and_unchanged() {
    let fixture = changed("PRAGMA user_version = 70").await;
    let error = refusal(&fixture.path()).await;
    assert!(matches!(error, OpenError::Newer { found: 70, known: SCHEMA }), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn a_newer_version_that_was_killed_before_it_wrote_its_header_is_refused() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    let mut db = options(&fixture.path()).connect().await.unwrap();
    sqlx::query("PRAGMA user_version = 70").execute(&mut db).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in ["registry.db", "registry.db-wal"] {
        std::fs::copy(fixture.path().with_file_name(file), copy.path().join(file)).unwrap();
    }
    let path = copy.path().join("registry.db");
    check_header(&path).unwrap();
    assert!(matches!(Registry::open(&path).await, Err(OpenError::Newer { found: 70, .. })));
}

#[tokio::test]
async fn a_migration_that_this_version_does_not_know_makes_it_a_newer_one() {
    let fixture = changed(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'later', 1, x'00', 0)",
    )
    .await;
    let error = refusal(&fixture.path()).await;
    assert!(matches!(error, OpenError::Newer { found: 9000, .. }), "{error}");
}

#[tokio::test]
async fn b04_a_damaged_registry_is_refused_and_unchanged() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    let whole = std::fs::read(fixture.path()).unwrap();
    for page in [1, 3, 5] {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..64].fill(0xFF);
        std::fs::write(fixture.path(), &bytes).unwrap();
        let error = refusal(&fixture.path()).await;
        assert!(matches!(error, OpenError::Damaged { .. }), "{page}: {error:?}");
    }
    std::fs::write(fixture.path(), &whole[..whole.len() / 2]).unwrap();
    let error = refusal(&fixture.path()).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "half of it: {error:?}");
    std::fs::write(fixture.path(), &whole).unwrap();
    Registry::open(&fixture.path()).await.unwrap();
}

/// A large registry is open before every page was looked at, and is written to no longer once
/// one is found damaged.
#[tokio::test]
async fn b04_damage_that_is_found_after_the_opening_stops_all_writing() {
    let fixture = Fixture::new().await;
    let long = vec![saying(&"x".repeat(20_000)); 20];
    fixture.registry.record(long).await.unwrap();
    fixture.registry.close().await.unwrap();
    let whole = Registry::open_checking(&fixture.path(), 0).await.unwrap();
    assert!(!whole.is_checked());
    whole.check().await.unwrap();
    assert_eq!(whole.trouble(), None);
    whole.close().await.unwrap();

    let mut bytes = std::fs::read(fixture.path()).unwrap();
    // The list of pages that a long row goes on in now leads nowhere.
    let half = bytes.len() / 2;
    let found = bytes[half..].windows(200).position(|it| it == [b'x'; 200]).unwrap();
    let page = (half + found) / 4096;
    bytes[(page + 1) * 4096..][..64].fill(0xFF);
    std::fs::write(fixture.path(), &bytes).unwrap();
    assert!(matches!(Registry::open(&fixture.path()).await, Err(OpenError::Damaged { .. })));
    let registry = Registry::open_checking(&fixture.path(), 0).await.unwrap();
    registry.record(vec![saying("not looked at yet")]).await.unwrap();
    let found = registry.check().await;
    assert!(matches!(found, Err(OpenError::Damaged { .. })), "{found:?}");
    assert!(matches!(registry.trouble(), Some(Trouble::Damaged { .. })));
    assert!(matches!(registry.begin().await, Err(RegistryError::Damaged { .. })));
    assert!(registry.record(vec![saying("never")]).await.is_err());
    assert!(matches!(registry.trouble(), Some(Trouble::Damaged { .. })), "it does not pass");
}

#[tokio::test]
async fn b04_a_large_registry_without_its_end_is_refused_without_looking_at_every_page() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    let whole = std::fs::read(fixture.path()).unwrap();
    std::fs::write(fixture.path(), &whole[..whole.len() - 4096]).unwrap();
    let error = Registry::open_checking(&fixture.path(), 0).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("its end is missing"), "{error}");
}

#[tokio::test]
async fn what_is_not_a_registry_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    assert!(matches!(Registry::open(&path).await, Err(OpenError::Missing)));
    for text in ["", "tenants: {}\n", &"x".repeat(5000)] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(refusal(&path).await, OpenError::NotARegistry), "{text:.10}");
    }
    std::fs::remove_file(&path).unwrap();
    let mut db = options(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::query("CREATE TABLE other (id INTEGER)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    assert!(matches!(refusal(&path).await, OpenError::NotARegistry));
}

#[tokio::test]
async fn a_registry_that_was_never_finished_is_not_there_and_does_not_stand_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    for leftover in ["registry.db.new", "registry.db.new-wal"] {
        std::fs::write(folder.path().join(leftover), "half").unwrap();
    }
    assert!(matches!(Registry::open(&path).await, Err(OpenError::Missing)));
    Registry::create(&path, &instance()).await.unwrap().close().await.unwrap();
    assert_eq!(content(folder.path()).len(), 1);
}

const CHILD: &str = "COUNTERSIGN_TEST_OPEN";

/// Not a test of its own: opens and makes registries where the next ones say, and tells how that
/// went.
#[tokio::test]
async fn in_a_child_process_that_opens() {
    #[expect(clippy::disallowed_methods, reason = "how a test speaks to its own child")]
    let Ok(folder) = std::env::var(CHILD) else { return };
    let folder = PathBuf::from(folder);
    for (name, result) in [
        ("opening", Registry::open(&folder.join("registry.db")).await.map(drop)),
        ("making", Registry::create(&folder.join("other.db"), &instance()).await.map(drop)),
    ] {
        let told = match result {
            Ok(()) => "done".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        std::io::Write::write_all(&mut std::io::stderr(), format!("{name}: {told}\n").as_bytes())
            .unwrap();
    }
}

fn told_by(child: &mut Command, folder: &Path) -> String {
    let Output { stderr, .. } = child.env(CHILD, folder).output().unwrap();
    String::from_utf8(stderr).unwrap()
}

const OPENS: [&str; 3] = ["--exact", "open::tests::in_a_child_process_that_opens", "--nocapture"];

#[tokio::test]
async fn a_read_only_folder_is_told_apart_and_nothing_is_changed() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    // To the superuser nothing is read-only, so the child is somebody else.
    let superuser =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for file in ["registry.db", "registry.db-lock"] {
        set(&fixture.path().with_file_name(file), 0o444);
    }
    set(fixture.folder.path(), 0o555);
    let before = content(fixture.folder.path());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(OPENS);
    if superuser {
        child.uid(65_534).gid(65_534);
    }
    let told = told_by(&mut child, fixture.folder.path());
    set(fixture.folder.path(), 0o755);
    assert_eq!(content(fixture.folder.path()), before);
    assert!(told.contains("opening: ReadOnly"), "{told}");
    assert!(told.contains("making: ReadOnly"), "{told}");
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_nothing_is_left_behind() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    let size = std::fs::metadata(fixture.path()).unwrap().len() + 16 * 1024;
    let mount = tempfile::tempdir().unwrap();
    // A disk of its own, seen by the child alone, with too little room left.
    let script = r#"mount -t tmpfs -o size="$1" none "$2" && cp "$3" "$2/registry.db" || exit 77
        shift 3; "$@"; ls "$COUNTERSIGN_TEST_OPEN" >&2"#;
    let mut child = Command::new("unshare");
    child.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    child.arg(size.to_string()).arg(mount.path()).arg(fixture.path());
    child.arg(std::env::current_exe().unwrap()).args(OPENS);
    let told = told_by(&mut child, mount.path());
    if !told.contains("opening: ") {
        // No namespaces here: what remains is how the database's own word is understood.
        let note = format!("left out: a full disk, because `unshare` cannot make one: {told}\n");
        std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes()).unwrap();
        return;
    }
    assert!(told.contains("making: Full"), "{told}");
    assert!(told.contains("opening: Full"), "{told}");
    assert!(!told.contains("other.db\n") && !told.contains(".new"), "{told}");
}

/// A journal that is not whole any more when its registry goes, and the one that comes after it.
#[tokio::test]
async fn b01_what_was_left_beside_a_registry_that_is_gone_is_not_taken_over_by_the_next() {
    let fixture = Fixture::empty().await;
    fixture.registry.record(vec![saying("of the first")]).await.unwrap();
    let (path, journal) = (fixture.path(), crate::writer::journal::path(&fixture.path()));
    let left = std::fs::read(&journal).unwrap();
    assert!(!left.is_empty());
    fixture.registry.close().await.unwrap();
    assert!(!journal.exists(), "all of it is in the database");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&journal, left).unwrap();
    let registry = Registry::create(&path, &instance()).await.unwrap();
    let second = Fixture { folder: fixture.folder, registry };
    assert!(second.verified_log().await.is_empty());
}
