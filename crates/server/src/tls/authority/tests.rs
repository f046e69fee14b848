use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-authority-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn days(pair: &Pair) -> (u64, u64) {
    let parsed = Certificate::from_der(&pair.chain[0]).unwrap();
    let validity = *parsed.tbs_certificate().validity();
    let length = validity.not_after.to_unix_duration() - validity.not_before.to_unix_duration();
    let left = validity.not_after.to_unix_duration() - now();
    (length.as_secs() / DAY.as_secs(), left.as_secs() / DAY.as_secs())
}

#[test]
fn the_leaf_is_for_all_names_of_the_machine_and_short_enough_for_browsers() {
    let authority = Authority::open(None, Some("box"), &[]).unwrap();
    let lan = [address("192.168.1.5"), address("fd00::5"), address("2001:db8::5")];
    let names = authority.names(Some("box"), &lan);
    assert_eq!(names.hosts, ["box", "box.local", "localhost"]);
    for text in ["127.0.0.1", "::1", "192.168.1.5", "fd00::5", "2001:db8::5"] {
        assert!(names.addresses.contains(&address(text)), "{text}");
    }
    let leaf = authority.leaf(&names).unwrap();
    assert_eq!(leaf.names(), names);
    let (length, left) = days(&leaf);
    assert!(length <= 397 && left >= 390, "{length} days, {left} left");
}

#[test]
fn the_authority_cannot_sign_for_the_world() {
    let authority = Authority::open(None, Some("box"), &[]).unwrap();
    let names = authority.names(Some("other.example"), &[address("203.0.113.5")]);
    assert_eq!(names.hosts, ["localhost", "other.local"]);
    assert_eq!(names.addresses.len(), 2, "{:?}", names.addresses);
    for names in [
        Names::new(vec!["bank.example".into()], Vec::new()),
        Names::new(vec!["localhost".into()], vec![address("203.0.113.5")]),
    ] {
        assert!(matches!(authority.leaf(&names), Err(AuthorityError::Refused(_))));
    }
}

#[test]
fn public_addresses_of_the_machine_are_permitted_when_it_is_made_and_no_others_ever() {
    let folder = Folder::new("public");
    let own = [address("203.0.113.5"), address("192.168.1.5")];
    Authority::open(Some(&folder.0), Some("box"), &own).unwrap();
    let kept = Authority::open(Some(&folder.0), Some("box"), &[address("203.0.113.6")]).unwrap();
    let names = kept.names(Some("box"), &[address("203.0.113.5"), address("203.0.113.6")]);
    assert!(names.addresses.contains(&address("203.0.113.5")));
    assert!(!names.addresses.contains(&address("203.0.113.6")));
    assert!(kept.leaf(&names).is_ok());
}

#[test]
fn the_authority_stays_and_the_leaf_until_the_machine_is_called_otherwise() {
    let folder = Folder::new("stays");
    let open = || Authority::open(Some(&folder.0), Some("box"), &[]).unwrap();
    let first = open();
    let names = first.names(Some("box"), &[address("10.0.0.5")]);
    let leaf = first.leaf(&names).unwrap();
    let again = open();
    assert_eq!(again.certificate(), first.certificate());
    assert_eq!(again.fingerprint(), first.fingerprint());
    assert_eq!(again.leaf(&names).unwrap().chain, leaf.chain);
    let moved = again.names(Some("box"), &[address("10.0.0.6")]);
    let other = again.leaf(&moved).unwrap();
    assert_ne!(other.chain, leaf.chain);
    assert!(other.names().contain("10.0.0.6") && !other.names().contain("10.0.0.5"));
}

#[test]
fn a_leaf_of_another_authority_is_not_shown() {
    let folder = Folder::new("another");
    let first = Authority::open(Some(&folder.0), Some("box"), &[]).unwrap();
    let names = first.names(Some("box"), &[]);
    let leaf = first.leaf(&names).unwrap();
    fs::remove_file(folder.0.join("tls/authority.crt")).unwrap();
    let second = Authority::open(Some(&folder.0), Some("box"), &[]).unwrap();
    assert_ne!(second.certificate(), first.certificate());
    assert_ne!(second.leaf(&names).unwrap().chain, leaf.chain);
}

#[test]
fn a_kept_leaf_with_another_s_key_is_made_anew() {
    let folder = Folder::new("halves");
    let authority = Authority::open(Some(&folder.0), Some("box"), &[]).unwrap();
    let names = authority.names(Some("box"), &[]);
    let leaf = authority.leaf(&names).unwrap();
    // What is left by an end between the two files of the next one.
    let other = KeyPair::generate().unwrap();
    write(&folder.0.join("tls/leaf.key"), &other.serialize_pem()).unwrap();
    let anew = authority.leaf(&names).unwrap();
    assert_ne!(anew.chain, leaf.chain);
    assert!(anew.into_config().is_ok());
    let kept = authority.leaf(&names).unwrap();
    assert!(kept.into_config().is_ok());
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("modes");
    let authority = Authority::open(Some(&folder.0), None, &[]).unwrap();
    authority.leaf(&authority.names(None, &[])).unwrap();
    let mode = |name: &str| {
        let file = folder.0.join("tls").join(name);
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("authority.key"), 0o600);
    assert_eq!(mode("leaf.key"), 0o600);
    assert_eq!(mode(""), 0o700);
}

#[test]
fn what_is_damaged_is_not_made_anew_behind_people_s_backs() {
    let folder = Folder::new("damaged");
    Authority::open(Some(&folder.0), None, &[]).unwrap();
    fs::write(folder.0.join("tls/authority.key"), "nonsense").unwrap();
    let opened = Authority::open(Some(&folder.0), None, &[]);
    assert!(matches!(opened, Err(AuthorityError::Damaged(_))));
}
