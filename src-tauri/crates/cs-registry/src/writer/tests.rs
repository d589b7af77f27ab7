mod power;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::task::{Context, Waker};
use std::time::Duration;

use cs_model::Digest;
use uuid::Uuid;

use cs_model::event::{Decision, EventKind};

use super::*;
use crate::nonce::{Nonce, Remember};
use crate::redemption::Spend;
use crate::testing::{A, Fixture, instance, later, redeem, saying};
use crate::{Registry, audit::Record};

fn record(detail: &str) -> Record {
    Record { events: vec![saying(detail)] }
}

/// Fails after it has written a nonce.
struct Fails;

impl Work for Fails {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        remember("nonce-of-one-that-fails").run(db).await?;
        Err(RegistryError::NotFound { what: "luck" })
    }
}

/// Is found out only when the transaction is committed: it refers to a tenant that does not
/// exist, and has that checked at the end.
struct FailsAtCommit;

impl Work for FailsAtCommit {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *db).await.doing("defer")?;
        sqlx::query("INSERT INTO role (id, tenant_id, name, created) VALUES (?1, ?1, 'x', 0)")
            .bind(Uuid::from_u128(77))
            .execute(db)
            .await
            .doing("insert")?;
        Ok(((), vec![saying("never")]))
    }
}

fn unsealable() -> Event {
    Event { schema: 99, ..saying("from the future") }
}

fn remember(nonce: &str) -> Remember {
    Remember { credential: A.credential, nonce: nonce.to_owned(), until: later(90) }
}

/// Submits them all before any of them can be worked on, so that they share a batch.
async fn in_one_batch(registry: &Registry, details: &[&str]) -> Vec<Result<(), RegistryError>> {
    let hold = registry.begin().await.unwrap();
    let waiting: Vec<_> = details
        .iter()
        .map(|detail| {
            let (registry, detail) = (registry.clone(), (*detail).to_owned());
            async move {
                match detail.as_str() {
                    "fails" => registry.submit(Fails).await,
                    "half" => registry.record(vec![saying("half"), unsealable()]).await,
                    "fails at commit" => registry.submit(FailsAtCommit).await,
                    detail => registry.submit(record(detail)).await,
                }
            }
        })
        .map(tokio::spawn)
        .collect();
    // On the one thread of the test each has queued its work before this goes on.
    tokio::task::yield_now().await;
    drop(hold);
    let mut answers = Vec::new();
    for answer in waiting {
        answers.push(answer.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn events_are_in_the_log_in_the_order_in_which_they_were_submitted() {
    let fixture = Fixture::new().await;
    let details: Vec<String> = (0..1500).map(|number| format!("event {number}")).collect();
    let details: Vec<&str> = details.iter().map(String::as_str).collect();
    let answers = in_one_batch(&fixture.registry, &details).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fixture.details().await, details);
}

#[tokio::test]
async fn a_write_that_fails_takes_nothing_with_it() {
    let fixture = Fixture::new().await;
    let answers = in_one_batch(&fixture.registry, &["before", "fails", "after"]).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert!(matches!(answers[1], Err(RegistryError::NotFound { what: "luck" })));
    assert_eq!(fixture.details().await, ["before", "after"]);
    let again = fixture.registry.submit(remember("nonce-of-one-that-fails")).await.unwrap();
    assert_eq!(again, Nonce::Fresh);
}

#[tokio::test]
async fn a_write_that_fails_at_its_second_event_leaves_no_trace_in_the_chain() {
    let fixture = Fixture::new().await;
    let answers = in_one_batch(&fixture.registry, &["before", "half", "after"]).await;
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    assert!(matches!(answers[1], Err(RegistryError::Seal(_))));
    assert_eq!(fixture.details().await, ["before", "after"]);
}

/// Does not come to its end.
struct Panics;

impl Work for Panics {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        remember("of-one-that-panics").run(db).await?;
        panic!("on purpose");
    }
}

#[tokio::test]
async fn f07_a_write_that_panics_is_not_made_and_the_next_ones_are() {
    let fixture = Fixture::new().await;
    let answer = fixture.registry.submit(Panics).await;
    assert!(matches!(answer, Err(RegistryError::Unwritten)));
    let again = fixture.registry.submit(remember("of-one-that-panics")).await.unwrap();
    assert_eq!(again, Nonce::Fresh);
    fixture.registry.record(vec![saying("next")]).await.unwrap();
    assert_eq!(fixture.details().await, ["next"]);
}

#[tokio::test]
async fn a_failed_commit_is_acknowledged_to_nobody_and_the_registry_recovers() {
    let fixture = Fixture::new().await;
    fixture.registry.record(vec![saying("first")]).await.unwrap();
    let answers = in_one_batch(&fixture.registry, &["lost", "fails at commit", "lost too"]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(RegistryError::Unwritten))));
    assert_eq!(fixture.registry.writer.lock().await.state, State::Doubtful);
    fixture.registry.record(vec![saying("next")]).await.unwrap();
    assert_eq!(fixture.details().await, ["first", "next"]);
    assert_eq!(fixture.registry.writer.lock().await.state, State::Ready);
}

#[tokio::test]
async fn a_log_that_does_not_go_on_from_what_was_durable_is_not_written_to() {
    let fixture = Fixture::new().await;
    fixture.registry.record(vec![saying("first")]).await.unwrap();
    {
        let mut writer = fixture.registry.writer.lock().await;
        writer.recall();
        writer.durable = Some(Head { seq: 1, hash: Digest::of(b"something else") });
        writer.state = State::Doubtful;
    }
    let answer = fixture.registry.record(vec![saying("next")]).await;
    assert!(matches!(answer, Err(RegistryError::Unwritten)));
    let began = fixture.registry.begin().await;
    assert!(matches!(began, Err(RegistryError::Damaged { .. })));
}

#[tokio::test]
async fn a01_f01_when_the_disk_is_full_nothing_is_written_and_the_token_stays_good() {
    let fixture = Fixture::new().await;
    let token = fixture.approved(A, 50).await;
    limit_pages(&fixture.registry, "PRAGMA max_page_count = 1").await;
    let big = "x".repeat(8000);
    let mut refused = 0;
    while refused == 0 {
        refused += usize::from(fixture.registry.submit(record(&big)).await.is_err());
    }
    let full = crate::redemption::Redeem { events: vec![saying(&big)], ..token.clone() };
    assert!(fixture.registry.submit(full).await.is_err());
    assert!(fixture.registry.record(vec![saying(&big)]).await.is_err());
    assert_eq!(fixture.registry.trouble(), Some(Trouble::Full));

    limit_pages(&fixture.registry, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(fixture.registry.submit(token).await.unwrap(), Spend::Spent);
    assert_eq!(fixture.registry.trouble(), None);
    assert_eq!(fixture.details().await.last().unwrap(), "redeemed");
}

#[tokio::test]
async fn a01_a_registry_that_became_read_only_says_so_until_something_is_written_again() {
    let fixture = Fixture::new().await;
    let set = async |pragma: &'static str| {
        let mut writer = fixture.registry.writer.lock().await;
        sqlx::query(pragma).execute(writer.db_mut()).await.unwrap();
    };
    set("PRAGMA query_only = ON").await;
    // On record in the journal, until somebody looks and the database does not take it.
    fixture.registry.record(vec![saying("in the journal")]).await.unwrap();
    assert!(fixture.verified_log().await.is_empty());
    assert_eq!(fixture.registry.trouble(), Some(Trouble::ReadOnly));
    assert!(fixture.registry.record(vec![saying("lost")]).await.is_err());
    assert!(fixture.registry.record(Vec::new()).await.is_err());
    assert_eq!(fixture.registry.trouble(), Some(Trouble::ReadOnly));
    set("PRAGMA query_only = OFF").await;
    fixture.registry.record(vec![saying("kept")]).await.unwrap();
    assert_eq!(fixture.registry.trouble(), None);
    assert_eq!(fixture.details().await, ["in the journal", "kept"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a01_f01_what_the_journal_does_not_take_is_not_on_record_and_leaves_no_gap() {
    let fixture = Fixture::new().await;
    // A device that is always full.
    std::os::unix::fs::symlink("/dev/full", journal::path(&fixture.path())).unwrap();
    assert!(fixture.registry.record(vec![saying("lost")]).await.is_err());
    assert_eq!(fixture.registry.trouble(), Some(Trouble::Full));
    let change = fixture.registry.begin().await.unwrap();
    change.commit(&[saying("the chain goes on")]).await.unwrap();
    assert_eq!(fixture.registry.trouble(), None);
    assert_eq!(fixture.details().await, ["the chain goes on"]);
}

#[tokio::test]
async fn what_the_database_has_after_all_is_not_written_to_it_again() {
    let fixture = Fixture::new().await;
    fixture.registry.record(vec![saying("one")]).await.unwrap();
    {
        let mut writer = fixture.registry.writer.lock().await;
        writer.recall();
        let Writer { db, end, .. } = &mut *writer;
        assert_eq!(end.pending.len(), 1);
        audit::insert_all(&mut *db, &end.pending, false).await.unwrap();
        sqlx::query("COMMIT").execute(db).await.unwrap();
        // Whoever committed has not heard that it went well.
        writer.state = State::Doubtful;
    }
    fixture.registry.record(vec![saying("two")]).await.unwrap();
    assert_eq!(fixture.details().await, ["one", "two"]);
}

#[test]
fn only_a_disk_that_says_no_before_it_takes_anything_leaves_no_doubt() {
    use std::io::{Error, ErrorKind};
    assert!(!record::is_doubtful(&Error::from(ErrorKind::StorageFull)));
    assert!(!record::is_doubtful(&Error::from(ErrorKind::ReadOnlyFilesystem)));
    // EIO: what was written before may be lost as well.
    assert!(record::is_doubtful(&Error::from_raw_os_error(5)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b01_what_many_put_on_record_at_the_same_time_is_one_chain_that_is_read_as_a_whole() {
    for spares in [true, false] {
        let fixture = Fixture::new().await;
        fixture.registry.spare_disk(spares).await;
        let writing = (0..8).map(|who| {
            let registry = fixture.registry.clone();
            tokio::spawn(async move {
                for number in 0..200 {
                    let kind = EventKind::ExecutionFinished;
                    let event = |detail: &str| Event { kind, ..saying(detail) };
                    let events = vec![event(&format!("{who} {number}")), event("and")];
                    registry.record(events).await.unwrap();
                    if number % 50 == who {
                        let mut db = registry.read().await.unwrap();
                        let head = audit::head(&mut db).await.unwrap().unwrap();
                        assert!(head.seq >= 2 * (number + 1), "what is on record is read");
                        drop(db);
                        let change = registry.begin().await.unwrap();
                        change.commit(&[saying("changed")]).await.unwrap();
                    }
                }
            })
        });
        for writing in writing.collect::<Vec<_>>() {
            writing.await.unwrap();
        }
        let details = fixture.details().await;
        for who in 0..8 {
            let own = format!("{who} ");
            let own: Vec<_> = details.iter().filter(|it| it.starts_with(&own)).collect();
            assert!(
                own.iter().map(ToString::to_string).eq((0..200).map(|it| format!("{who} {it}")))
            );
        }
        assert_eq!(details.len(), 8 * (400 + 4));
    }
}

#[tokio::test]
async fn nobody_waits_until_events_are_moved() {
    let fixture = Fixture::new().await;
    fixture.registry.record(vec![saying("one")]).await.unwrap();
    let options = crate::open::options(&fixture.path());
    let mut other = options.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let registry = fixture.registry.clone();
    // Whoever reads while the database is somebody else's for long is told so, and asks again.
    let reading = tokio::spawn(async move { while registry.read().await.is_err() {} });
    while fixture.registry.writer.try_lock().is_ok() || !fixture.registry.tail.is_lent() {
        tokio::task::yield_now().await;
    }
    // The database is somebody else's for now.
    fixture.registry.record(vec![saying("two")]).await.unwrap();
    assert!(!reading.is_finished());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    reading.await.unwrap();
    assert_eq!(fixture.details().await, ["one", "two"]);
}

#[tokio::test]
async fn what_was_being_moved_when_its_mover_went_away_is_moved_once() {
    let fixture = Fixture::new().await;
    for number in 0..40 {
        fixture.registry.record(vec![saying(&number.to_string())]).await.unwrap();
        let mut reading = Box::pin(fixture.registry.read());
        // Goes away at one step after the other.
        for _ in 0..number {
            let mut nobody = Context::from_waker(Waker::noop());
            if reading.as_mut().poll(&mut nobody).is_ready() {
                break;
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        drop(reading);
    }
    let all: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(fixture.details().await, all);
}

async fn limit_pages(registry: &Registry, pragma: &'static str) {
    let mut writer = registry.writer.lock().await;
    sqlx::query(pragma).fetch_one(writer.db_mut()).await.unwrap();
}

#[tokio::test]
async fn a_change_that_is_dropped_was_never_made() {
    let fixture = Fixture::new().await;
    let mut change = fixture.registry.begin().await.unwrap();
    remember("dropped").run(&mut change).await.unwrap();
    drop(change);
    assert_eq!(fixture.registry.submit(remember("dropped")).await.unwrap(), Nonce::Fresh);
    assert!(fixture.verified_log().await.is_empty());
}

#[tokio::test]
async fn a_change_and_its_events_are_made_together_or_not_at_all() {
    let fixture = Fixture::new().await;
    let mut change = fixture.registry.begin().await.unwrap();
    remember("changed").run(&mut change).await.unwrap();
    let made = change.commit(&[saying("said"), unsealable()]).await;
    assert!(matches!(made, Err(RegistryError::Seal(_))));
    assert!(fixture.verified_log().await.is_empty());
    assert_eq!(fixture.registry.submit(remember("changed")).await.unwrap(), Nonce::Fresh);
    fixture.registry.record(vec![saying("the chain goes on")]).await.unwrap();
    assert_eq!(fixture.verified_log().await.len(), 1);
}

#[tokio::test]
async fn what_reads_cannot_write() {
    let fixture = Fixture::new().await;
    let mut reader = fixture.registry.read().await.unwrap();
    assert!(remember("by a reader").run(&mut reader).await.is_err());
}

#[tokio::test]
async fn a_closed_registry_answers_that_it_is_closed() {
    let fixture = Fixture::new().await;
    fixture.registry.close().await.unwrap();
    fixture.registry.close().await.unwrap();
    assert!(matches!(fixture.registry.begin().await, Err(RegistryError::Closed)));
    assert!(fixture.registry.record(vec![saying("late")]).await.is_err());
    assert!(fixture.registry.read().await.is_err());
}

#[test]
fn a02_only_the_record_of_an_allowed_call_may_spare_the_disk() {
    let event = |kind, decision| Event { decision, ..Event { kind, ..saying("it") } };
    let is_lasting = |event: Event| Record { events: vec![event] }.is_lasting();
    for kind in EventKind::ALL {
        let spared = matches!(
            kind,
            EventKind::AuthnSucceeded | EventKind::ExecutionStarted | EventKind::ExecutionFinished
        );
        assert_eq!(is_lasting(event(*kind, None)), !spared, "{kind:?}");
    }
    let judged = |decision| event(EventKind::Decision, Some(decision));
    assert!(!is_lasting(judged(Decision::Allow)));
    assert!(is_lasting(judged(Decision::Deny)) && is_lasting(judged(Decision::Hold)));
    let signed = |event| Event { token: Some(redeem(A, 1, None).token), ..event };
    assert!(is_lasting(signed(judged(Decision::Allow))));
    assert!(is_lasting(signed(event(EventKind::ExecutionFinished, None))));
    let several = vec![judged(Decision::Allow), judged(Decision::Deny)];
    assert!(Record { events: several }.is_lasting(), "one is enough");
}

/// Where the child of the next tests finds its registry, and how often it writes to it.
const CHILD: &str = "COUNTERSIGN_TEST_REGISTRY";
const ROUNDS: &str = "COUNTERSIGN_TEST_ROUNDS";
const SPARES: &str = "COUNTERSIGN_TEST_SPARES";
const SYNCS: &str = "COUNTERSIGN_TEST_SYNCS";
const ALONE: &str = "COUNTERSIGN_TEST_ALONE";

/// More rounds than a child gets to before it is killed.
const ENOUGH: u128 = 300;

#[expect(clippy::disallowed_methods, reason = "how a test speaks to its own child")]
fn told_by_parent(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Opens a registry that its parent has closed. A program that another test is just starting has a
/// copy of the parent's lock until it runs.
async fn opened(path: &std::path::Path) -> Registry {
    for _ in 0..100 {
        match Registry::open(path).await {
            Err(crate::OpenError::Busy) => tokio::time::sleep(Duration::from_millis(20)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the registry stays locked");
}

/// Not a test of its own: what the next ones start. Says on its standard output what was
/// acknowledged and what was not.
#[tokio::test]
async fn in_a_child_process() {
    let Some(path) = told_by_parent(CHILD).map(PathBuf::from) else { return };
    let rounds = told_by_parent(ROUNDS).map_or(u128::MAX, |rounds| rounds.parse().unwrap());
    let registry = opened(&path).await;
    let spares = told_by_parent(SPARES).is_some();
    registry.spare_disk(spares).await;
    for number in 0..rounds {
        let (mut spend, mut note) =
            (redeem(A, number + 1, None), saying(&format!("note {number}")));
        spend.events = vec![saying(&format!("spent {number}"))];
        let (spent, noted) = if told_by_parent(ALONE).is_some() {
            if number % 5 == 4 {
                // Whoever reads has the journal moved, not yet for good.
                drop(registry.read().await.unwrap());
            }
            (Ok(Spend::Spent), registry.record(vec![note]).await)
        } else if spares {
            note.kind = EventKind::ExecutionFinished;
            (registry.submit(spend).await, registry.record(vec![note]).await)
        } else {
            tokio::join!(registry.submit(spend), registry.record(vec![note]))
        };
        let word = match (spent, noted) {
            (Ok(Spend::Spent), Ok(())) => "acknowledged",
            (Err(_), _) | (_, Err(_)) => "failed",
            (Ok(Spend::Refused), Ok(())) => panic!("refused, but nobody else was there"),
        };
        if told_by_parent(SYNCS).is_some() {
            registry.sync().await.unwrap();
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word} {number}").unwrap();
        out.flush().unwrap();
    }
}

const IN_A_CHILD: [&str; 3] = ["--exact", "writer::tests::in_a_child_process", "--nocapture"];

fn acknowledged(line: &str) -> Option<u32> {
    line.strip_prefix("acknowledged ").map(|number| number.parse().unwrap())
}

/// All that was acknowledged is there, spent stays spent, and the chain goes on.
async fn nothing_is_lost(fixture: &Fixture, acknowledged: &[u32]) {
    let details = fixture.details().await;
    for number in acknowledged {
        for what in ["spent", "note"] {
            assert!(details.contains(&format!("{what} {number}")), "{what} {number}");
        }
        let again = redeem(A, u128::from(*number) + 1, None);
        assert_eq!(fixture.registry.submit(again).await.unwrap(), Spend::Refused);
    }
    fixture.registry.record(vec![saying("the chain goes on")]).await.unwrap();
    assert_eq!(fixture.details().await.last().unwrap(), "the chain goes on");
}

#[tokio::test]
async fn k03_a02_a_killed_process_loses_nothing_that_it_acknowledged() {
    for (wanted, spares) in [(3, false), (10, true), (17, false), (24, true), (31, false)] {
        let mut fixture = Fixture::with_approved(ENOUGH).await;
        fixture.registry.close().await.unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(IN_A_CHILD)
            .env(CHILD, fixture.path())
            .env(ROUNDS, ENOUGH.to_string())
            .envs(spares.then_some((SPARES, "yes")))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<u32> =
            lines.filter_map(|line| acknowledged(&line.unwrap())).take(wanted).collect();
        assert_eq!(said.len(), wanted);
        child.kill().unwrap();
        child.wait().unwrap();
        fixture.registry = Registry::open(&fixture.path()).await.unwrap();
        nothing_is_lost(&fixture, &said).await;
        assert_eq!(fixture.registry.instance(), &instance());
    }
}

/// Every 15th attempt of a thread to have its writes on disk fails.
#[tokio::test]
async fn when_the_disk_fails_nothing_is_acknowledged_in_vain_and_the_process_goes_on() {
    let mut fixture = Fixture::with_approved(60).await;
    fixture.registry.close().await.unwrap();
    let log = fixture.folder.path().join("strace");
    let run = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync"])
        .args(["-e", "inject=fsync,fdatasync:error=EIO:when=15", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(IN_A_CHILD)
        .env(CHILD, fixture.path())
        .env(ROUNDS, "60")
        .output();
    let injected = std::fs::read_to_string(&log).unwrap_or_default().matches("(INJECTED)").count();
    let Some(run) = run.ok().filter(|_| injected > 0) else {
        let note = "left out: a failing disk, because `strace` cannot make one here\n";
        return std::io::stderr().write_all(note.as_bytes()).unwrap();
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let failed = said.lines().filter(|line| line.starts_with("failed ")).count();
    let said: Vec<u32> = said.lines().filter_map(acknowledged).collect();
    assert!(failed >= 1 && failed <= injected, "{failed} of {injected}");
    assert_eq!(said.len() + failed, 60);
    fixture.registry = Registry::open(&fixture.path()).await.unwrap();
    nothing_is_lost(&fixture, &said).await;
}
