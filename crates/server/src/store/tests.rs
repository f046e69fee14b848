//! The store with a real file, as several servers and commands have it open.

use std::fs;

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-store-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> Store {
        Store::open(Some(&self.0)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn named(name: &str) -> Handle {
    name.parse().unwrap()
}

fn claim(name: &str, key: u8) -> Change {
    Change::Key {
        handle: named(name),
        key: Fixed([key; 65]),
    }
}

fn missed(number: u64) -> Change {
    Change::Missed {
        owner: named("ada"),
        missed: Missed {
            number,
            from: named("bob"),
            video: true,
            at: 7,
        },
    }
}

#[test]
fn what_was_written_is_there_for_the_next_server() {
    let folder = Folder::new("again");
    let contact = |is| Change::Contact {
        owner: named("ada"),
        contact: named("bob"),
        is,
    };
    let blocked = Change::Blocked {
        owner: named("ada"),
        other: named("eve"),
        is: true,
    };
    let mut expected = Directory::default();
    {
        let mut store = folder.open();
        for change in [
            claim("ada", 1),
            claim("ada", 2),
            Change::Person {
                handle: named("by.token"),
            },
            contact(true),
            blocked,
            missed(1),
            missed(2),
        ] {
            store.write(&change).unwrap();
            expected.apply(&change);
        }
    }
    assert_eq!(folder.open().directory().unwrap(), expected);
    for change in [
        contact(false),
        Change::Seen {
            owner: named("ada"),
            upto: 2,
        },
    ] {
        folder.open().write(&change).unwrap();
        expected.apply(&change);
    }
    // Also the number of the last one, which nobody is told twice.
    assert_eq!(folder.open().directory().unwrap(), expected);
}

#[test]
fn a_handle_that_another_process_freed_is_heard_of_once() {
    let folder = Folder::new("freed");
    let mut server = folder.open();
    server.write(&claim("ada", 1)).unwrap();
    assert_eq!(server.freed().unwrap(), []);
    assert!(folder.open().free(&named("ada")).unwrap());
    assert!(!folder.open().free(&named("nobody")).unwrap());
    // What the server writes of it until it knows is not left to whoever comes next.
    server.write(&claim("ada", 2)).unwrap();
    server.write(&missed(7)).unwrap();
    assert_eq!(server.freed().unwrap(), [named("ada")]);
    assert_eq!(server.freed().unwrap(), []);
    assert_eq!(folder.open().directory().unwrap(), Directory::default());
    // A server that starts later need not hear of it, and takes it from nobody who came since.
    server.write(&claim("ada", 3)).unwrap();
    let mut later = folder.open();
    assert_eq!(later.freed().unwrap(), []);
    assert_ne!(later.directory().unwrap(), Directory::default());
}

#[test]
fn a_command_makes_no_store_where_none_is() {
    let folder = Folder::new("absent");
    assert!(matches!(
        Store::open_present(&folder.0),
        Err(StoreError::Absent(_))
    ));
    drop(folder.open());
    assert!(Store::open_present(&folder.0).is_ok());
}

#[test]
fn missed_calls_are_forgotten_after_their_time() {
    let folder = Folder::new("old");
    let mut store = folder.open();
    for change in [claim("ada", 1), missed(1)] {
        store.write(&change).unwrap();
    }
    let rows = |store: &Store| -> u32 {
        let all = "SELECT count(*) FROM missed";
        store.db.query_row(all, [], |row| row.get(0)).unwrap()
    };
    store.forget_old(MISSED_FOR).unwrap();
    assert_eq!(rows(&store), 1);
    store.forget_old(MISSED_FOR + Duration::from_secs(1)).unwrap();
    assert_eq!(rows(&store), 0);
}

#[test]
fn missed_calls_are_bounded() {
    let folder = Folder::new("missed");
    let mut store = folder.open();
    store.write(&claim("ada", 1)).unwrap();
    for number in 1..=250 {
        store.write(&missed(number)).unwrap();
    }
    let rows: u32 = store
        .db
        .query_row("SELECT count(*) FROM missed", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows as usize, MISSED_CALLS);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = Folder::new("newer");
    folder.open().db.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(Some(&folder.0)), Err(StoreError::Newer(_))));
}
