//! The store with a real file, as several servers and commands have it open.

use std::fs;

use visavis_protocol::appointment::{Facts, Place};
use visavis_protocol::{AppointmentId, DeskId, HostSecret, RoomId, RoomSecret};

use super::*;
use crate::hub::{Booking, KeptAppointment, Progress};

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
fn a_handle_that_was_freed_is_heard_of_also_where_the_first_look_fails() {
    let folder = Folder::new("freed-locked");
    let mut server = folder.open();
    server.db.busy_timeout(Duration::ZERO).unwrap();
    server.write(&claim("ada", 1)).unwrap();
    let mut command = folder.open();
    assert!(command.free(&named("ada")).unwrap());
    let lock = command
        .db
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
    let lock = lock.unwrap();
    assert!(server.freed().is_err());
    // Without another write, which would be looked at in any case.
    lock.rollback().unwrap();
    assert_eq!(server.freed().unwrap(), [named("ada")]);
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

/// The form of the first version, as it was written then.
const FIRST: &str = "
    CREATE TABLE person (handle TEXT PRIMARY KEY, last_missed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID, STRICT;
    CREATE TABLE key (handle TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (handle, key)) WITHOUT ROWID, STRICT;
    CREATE TABLE contact (owner TEXT NOT NULL, contact TEXT NOT NULL, PRIMARY KEY (owner, contact)) WITHOUT ROWID, STRICT;
    CREATE TABLE blocked (owner TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (owner, other)) WITHOUT ROWID, STRICT;
    CREATE TABLE missed (owner TEXT NOT NULL, number INTEGER NOT NULL, caller TEXT NOT NULL, video INTEGER NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (owner, number)) WITHOUT ROWID, STRICT;
    CREATE TABLE freed (number INTEGER PRIMARY KEY, handle TEXT NOT NULL) STRICT;
    PRAGMA user_version = 1;
";

/// A folder with a store of the first version and somebody in it.
fn of_first_version(name: &str) -> Folder {
    let folder = Folder::new(name);
    let db = Connection::open(folder.0.join(FILE)).unwrap();
    db.execute_batch(FIRST).unwrap();
    db.execute("INSERT INTO person (handle) VALUES ('ada')", [])
        .unwrap();
    db.execute(
        "INSERT INTO key (handle, key) VALUES ('ada', ?1)",
        [[1_u8; 65].as_slice()],
    )
    .unwrap();
    folder
}

fn version(path: &Path) -> u32 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

fn desk(n: u8) -> DeskId {
    DeskId::from_bytes([n; 16])
}

/// Two appointments: one that was made, one that has come far.
fn appointments() -> [KeptAppointment; 2] {
    let made = KeptAppointment {
        appointment: AppointmentId::from_bytes([5; 16]),
        desk: desk(1),
        facts: Facts {
            client: "Cl\u{e9}o 'x'); DROP TABLE desk; --".into(),
            note: "a\nb \u{1f469}".into(),
            starts: 1_800_000_000_123,
            minutes: 45,
            zone: "Europe/Berlin".into(),
        },
        number: 1,
        expires: 1_802_592_000,
        progress: Progress::default(),
        place: None,
    };
    let far = KeptAppointment {
        appointment: AppointmentId::from_bytes([6; 16]),
        number: u32::MAX,
        expires: u64::MAX >> 1,
        progress: Progress {
            is_cancelled: true,
            is_called: true,
            has_met: true,
            is_done: true,
        },
        place: Some(Place {
            room: RoomId::derive("call", Some(&RoomSecret::from_bytes([7; 16]))),
            link: "/room/call#secret".into(),
            host: HostSecret::from_bytes([8; 16]),
        }),
        ..made.clone()
    };
    [made, far]
}

fn book(store: &mut Store, booking: Booking) {
    store.write(&Change::Booking(booking)).unwrap();
}

#[test]
fn appointments_are_there_for_the_next_server_as_they_were_last() {
    let folder = Folder::new("bookings");
    let [made, far] = appointments();
    let mut store = folder.open();
    let name = |name: &str| Booking::Desk {
        desk: desk(1),
        name: name.into(),
    };
    book(&mut store, name("Ada"));
    for kept in [&made, &far] {
        book(&mut store, Booking::Appointment(Box::new(kept.clone())));
    }
    drop(store);
    let mut store = folder.open();
    let expected = Kept {
        desks: vec![(desk(1), "Ada".into())],
        appointments: vec![made.clone(), far.clone()],
    };
    assert_eq!(store.kept().unwrap(), expected);
    // Written again it is one, and changed; forgotten it is gone.
    let moved = KeptAppointment {
        number: 2,
        place: far.place.clone(),
        ..made
    };
    book(&mut store, name("Dr. Ada"));
    book(&mut store, Booking::Appointment(Box::new(moved.clone())));
    book(&mut store, Booking::Forgotten(far.appointment));
    let expected = Kept {
        desks: vec![(desk(1), "Dr. Ada".into())],
        appointments: vec![moved],
    };
    assert_eq!(folder.open().kept().unwrap(), expected);
}

#[test]
fn a_file_of_the_first_version_keeps_its_people_and_takes_appointments() {
    let folder = of_first_version("first");
    let path = folder.0.join(FILE);
    assert_eq!(version(&path), 1);
    let mut expected = Directory::default();
    expected.apply(&claim("ada", 1));
    let mut store = folder.open();
    assert_eq!(store.directory().unwrap(), expected);
    assert_eq!(store.kept().unwrap(), Kept::default());
    let [made, _] = appointments();
    book(&mut store, Booking::Appointment(Box::new(made.clone())));
    drop(store);
    assert_eq!(version(&path), 2);
    let again = folder.open();
    assert_eq!(again.directory().unwrap(), expected);
    assert_eq!(again.kept().unwrap().appointments, [made]);
}

#[test]
fn a_copy_changes_nothing_and_leaves_nothing_behind_where_it_fails() {
    let folder = of_first_version("copy");
    let copy = folder.0.join("copy.sqlite3");
    backup(&folder.0, &copy).unwrap();
    assert_eq!((version(&copy), version(&folder.0.join(FILE))), (1, 1));
    assert!(matches!(backup(&folder.0, &copy), Err(StoreError::Backup(..))));
    let nowhere = folder.0.join("none/copy.sqlite3");
    assert!(matches!(backup(&folder.0, &nowhere), Err(StoreError::Backup(..))));
    fs::write(
        folder.0.join(FILE),
        "not a store, however long it may be. ".repeat(100),
    )
    .unwrap();
    let other = folder.0.join("other.sqlite3");
    assert!(matches!(backup(&folder.0, &other), Err(StoreError::File(..))));
    assert!(!other.exists());
}

#[test]
fn a_copy_beside_a_server_that_writes_is_of_one_moment() {
    let folder = Folder::new("moment");
    let mut store = folder.open();
    let [made, far] = appointments();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Always two with one number, written together: half of a pair would be half of a change.
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                number += 1;
                let transaction = store.db.transaction().unwrap();
                for kept in [&made, &far] {
                    let kept = KeptAppointment {
                        number,
                        ..kept.clone()
                    };
                    bookings::write(&transaction, &Booking::Appointment(Box::new(kept))).unwrap();
                }
                transaction.commit().unwrap();
            }
        });
        for n in 0..20 {
            let restored = Folder::new(&format!("moment-{n}"));
            backup(&folder.0, &restored.0.join(FILE)).unwrap();
            let kept = restored.open().kept().unwrap().appointments;
            let numbers: Vec<u32> = kept.iter().map(|kept| kept.number).collect();
            assert!(
                numbers.is_empty() || (numbers.len() == 2 && numbers[0] == numbers[1]),
                "{numbers:?}"
            );
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("modes");
    let inner = folder.0.join("made/data");
    private::folder(&inner).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    let files = ["", "-wal", "-shm"].map(|end| inner.join(format!("{FILE}{end}")));
    {
        let mut store = Store::open(Some(&inner)).unwrap();
        store.write(&claim("ada", 1)).unwrap();
        for file in &files {
            assert_eq!(mode(file), 0o600, "{}", file.display());
            // As an older version left them.
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let again = Store::open(Some(&inner)).unwrap();
        for file in &files {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        assert_ne!(again.directory().unwrap(), Directory::default());
    }
    let store = Store::open(Some(&inner)).unwrap();
    assert_ne!(store.directory().unwrap(), Directory::default());
}
