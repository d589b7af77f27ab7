use cs_audit::seal;

use super::*;
use crate::testing::saying;

fn chain(from: Option<Head>, words: &[&str]) -> Vec<Entry> {
    let mut head = from;
    let entries = words.iter().map(|word| {
        let entry = seal(head.as_ref(), &saying(word)).unwrap();
        head = Some(entry.head());
        entry
    });
    entries.collect()
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.iter().for_each(|entry| put(&mut bytes, entry).unwrap());
    bytes
}

#[test]
fn what_follows_the_end_of_the_log_is_read_and_nothing_else() {
    let entries = chain(None, &["one", "two", "three"]);
    let all = bytes(&entries);
    for stored in 0..=3_usize {
        let head = stored.checked_sub(1).map(|last| entries[last].head());
        assert_eq!(following(&all, head), Ok(entries[stored..].to_vec()), "{stored}");
    }
}

#[test]
fn a_record_that_is_not_whole_ends_the_journal_wherever_it_breaks() {
    let entries = chain(None, &["one", "two"]);
    let all = bytes(&entries);
    let first = bytes(&entries[..1]).len();
    for length in 0..all.len() {
        let whole = usize::from(length >= first);
        assert_eq!(following(&all[..length], None), Ok(entries[..whole].to_vec()), "{length}");
    }
    for at in 0..all.len() {
        let mut torn = all.clone();
        torn[at] ^= 1;
        let read = following(&torn, None);
        let whole = usize::from(at >= first);
        // A first record that says that others come before it is of another log.
        assert!(read == Err(Apart) || read == Ok(entries[..whole].to_vec()), "{at}");
    }
}

#[test]
fn what_an_earlier_use_has_left_is_not_read_again() {
    let before = chain(None, &["one", "two", "three"]);
    let after = chain(before.last().map(Entry::head), &["four"]);
    let mut file = bytes(&before);
    let new = bytes(&after);
    file[..new.len()].copy_from_slice(&new);
    assert_eq!(following(&file, before.last().map(Entry::head)), Ok(after));
}

#[test]
fn b01_a_journal_of_another_log_is_not_taken_over() {
    let entries = chain(None, &["one", "two", "three"]);
    let missing = bytes(&entries[2..]);
    assert_eq!(following(&missing, Some(entries[0].head())), Err(Apart), "one is missing");
    assert_eq!(following(&missing, None), Err(Apart), "the log is empty");
    let other = chain(None, &["another"]);
    let forked = bytes(&entries[1..]);
    assert_eq!(following(&forked, Some(other[0].head())), Err(Apart), "they part");
    assert_eq!(following(&forked, Some(entries[0].head())), Ok(entries[1..].to_vec()));
}

#[tokio::test]
async fn it_goes_on_where_it_ended_and_begins_anew_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry.db");
    let mut journal = Journal::of(&registry);
    assert_eq!(journal.following(None).unwrap(), Ok(Vec::new()), "there is none");
    let entries = chain(None, &["one", "two", "three", "four"]);
    journal.write(entries[..1].iter(), false).await.unwrap();
    journal.write(entries[1..3].iter(), true).await.unwrap();
    assert_eq!(journal.following(None).unwrap(), Ok(entries[..3].to_vec()));
    journal.begin_anew();
    journal.write(entries[3..].iter(), true).await.unwrap();
    let stored = Some(entries[2].head());
    assert_eq!(journal.following(stored).unwrap(), Ok(entries[3..].to_vec()));
    journal.remove().unwrap();
    journal.remove().unwrap();
    assert_eq!(journal.following(stored).unwrap(), Ok(Vec::new()));
}
