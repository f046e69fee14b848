//! Against a real coturn: our credentials open it, and the settings in `docs/operations.md` let
//! nobody through to where nobody should get. Without `turnserver` on the machine these tests say
//! so and check nothing.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod coturn;

use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, SystemTime};

use client::{Allocation, Family};
use coturn::{Coturn, SECRET};
use support::Server;
use visavis_protocol::{ClientMessage, IceServer, ServerMessage};
use visavis_server::Config;
use visavis_server::hub::{TurnConfig, TurnSecret};

/// "Unauthorized".
const UNAUTHORIZED: u16 = 401;
/// "Forbidden": no such peer.
const FORBIDDEN: u16 = 403;
/// "Allocation Quota Reached".
const QUOTA: u16 = 486;

/// The first, the last and one other address of each range that a relay must not reach, as
/// RFC 6890 and its registries have them.
#[rustfmt::skip]
const DENIED: &[&str] = &[
    "0.0.0.0", "0.0.0.1", "0.255.255.255",
    "10.0.0.0", "10.1.2.3", "10.255.255.255",
    "100.64.0.0", "100.100.100.200", "100.127.255.255",
    "127.0.0.0", "127.0.0.1", "127.255.255.255",
    "169.254.0.0", "169.254.169.254", "169.254.255.255",
    "172.16.0.0", "172.17.0.1", "172.31.255.255",
    "192.0.0.0", "192.0.0.192", "192.0.0.255",
    "192.168.0.0", "192.168.1.1", "192.168.255.255",
    "198.18.0.0", "198.19.0.1", "198.19.255.255",
    "224.0.0.0", "224.0.0.251", "239.255.255.255",
    "240.0.0.0", "250.1.2.3", "255.255.255.255",
    "::",
    "::1",
    "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:255.255.255.255",
    "64:ff9b::", "64:ff9b::7f00:1", "64:ff9b::ffff:ffff",
    "2002::", "2002:7f00:1::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::", "fe80::1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fec0::", "fec0::1", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

/// People at home; and the nearest neighbours of what is denied.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "203.0.113.5", "8.8.8.8",
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
    "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:db8::5", "2606:4700::1111", "2001:ffff::1", "2003::1", "64:ff9c::1",
];

fn config() -> TurnConfig {
    TurnConfig {
        urls: Vec::new(),
        secret: TurnSecret::new(SECRET).unwrap(),
        lifetime: Duration::from_secs(60),
    }
}

fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap()
}

/// Credentials of our own making.
fn good(tail: &str) -> IceServer {
    let turn = config();
    turn.server(&turn.credentials(now(), tail))
}

#[test]
fn coturn_takes_credentials_that_are_good_and_no_others() {
    let Some(coturn) = Coturn::start(str::to_owned) else {
        return;
    };
    let code = |server: &IceServer| Allocation::make(coturn.address, server, Family::V4).err();
    assert_eq!(code(&good("first")), None);

    let nobody = IceServer {
        username: None,
        credential: None,
        ..good("nobody")
    };
    assert_eq!(code(&nobody), Some(UNAUTHORIZED), "without credentials");
    let turn = config();
    let ended = turn.server(&turn.credentials(now() - turn.lifetime - Duration::from_secs(5), "late"));
    assert_eq!(code(&ended), Some(UNAUTHORIZED), "ended");
    let forged = IceServer {
        username: good("x").username.map(|name| format!("9{name}")),
        ..good("x")
    };
    assert_eq!(code(&forged), Some(UNAUTHORIZED), "a longer life than was signed");
    let elsewhere = TurnConfig {
        secret: TurnSecret::new("south").unwrap(),
        ..config()
    };
    let elsewhere = elsewhere.server(&elsewhere.credentials(now(), "other"));
    assert_eq!(code(&elsewhere), Some(UNAUTHORIZED), "another secret");
}

#[test]
fn one_session_gets_so_many_allocations_and_the_next_its_own() {
    let Some(coturn) = Coturn::start(str::to_owned) else {
        return;
    };
    let greedy = good("greedy");
    let held: Vec<_> = (0..32)
        .map(|n| {
            let made = Allocation::make(coturn.address, &greedy, Family::V4);
            made.unwrap_or_else(|code| panic!("allocation {n}: {code}"))
        })
        .collect();
    let one_more = Allocation::make(coturn.address, &greedy, Family::V4).err();
    assert_eq!(one_more, Some(QUOTA));
    assert!(Allocation::make(coturn.address, &good("modest"), Family::V4).is_ok());
    drop(held);
}

#[test]
fn the_relay_reaches_the_internet_and_nothing_else() {
    let Some(coturn) = Coturn::start(str::to_owned) else {
        return;
    };
    for (family, has) in [(Family::V4, true), (Family::V6, coturn.has_v6)] {
        if !has {
            coturn::say(&format!(
                "no {family:?} on the loopback interface: its ranges are not checked"
            ));
            continue;
        }
        let mut allocation = Allocation::make(coturn.address, &good("peers"), family).unwrap();
        for (list, expected) in [(DENIED, Err(FORBIDDEN)), (ALLOWED, Ok(()))] {
            let mut checked = 0;
            for peer in list {
                let peer: IpAddr = peer.parse().unwrap();
                if peer.is_ipv4() == (family == Family::V4) {
                    assert_eq!(allocation.permit(peer), expected, "{peer}");
                    checked += 1;
                }
            }
            assert!(checked > 3, "{family:?}: only {checked}");
        }
    }
}

#[test]
fn two_who_both_need_the_relay_meet_at_its_own_address() {
    let private = |config: &str| config.replace("allowed-peer-ip=203.0.113.1", "allowed-peer-ip=127.0.0.1");
    let Some(coturn) = Coturn::start(|config| private(config) + "\nallow-loopback-peers\n") else {
        return;
    };
    let mut allocation = Allocation::make(coturn.address, &good("own"), Family::V4).unwrap();
    assert_eq!(allocation.permit([127, 0, 0, 1].into()), Ok(()));
    assert_eq!(allocation.permit([127, 0, 0, 2].into()), Err(FORBIDDEN));
}

/// A test that cannot fail proves nothing.
#[test]
fn without_the_denied_ranges_the_relay_reaches_what_is_behind_it() {
    let Some(coturn) = Coturn::start(|config| {
        let kept = config.lines().filter(|line| !line.starts_with("denied-peer-ip"));
        kept.collect::<Vec<_>>().join("\n")
    }) else {
        return;
    };
    let mut allocation = Allocation::make(coturn.address, &good("teeth"), Family::V4).unwrap();
    assert_eq!(allocation.permit([10, 1, 2, 3].into()), Ok(()));
    assert_eq!(allocation.permit([169, 254, 169, 254].into()), Ok(()));
}

#[tokio::test]
async fn whoever_takes_a_seat_can_use_the_relay() {
    let Some(coturn) = Coturn::start(str::to_owned) else {
        return;
    };
    let mut config = Config::default();
    config.hub.turn = Some(TurnConfig {
        urls: vec![format!("turn:{}", coturn.address)],
        ..self::config()
    });
    let server = Server::with(config).await;
    let mut socket = server.greeted().await;
    socket.say(&support::join("tea", 1)).await;
    let ServerMessage::Joined { ice, .. } = socket.hear().await else {
        panic!("not seated");
    };
    assert!(Allocation::make(coturn.address, &ice[0], Family::V4).is_ok());
    socket.say(&ClientMessage::Ice {}).await;
    let ServerMessage::Ice { servers, .. } = socket.hear().await else {
        panic!("not told again");
    };
    assert_eq!(servers, ice);
    server.stop().await;
}

#[test]
fn the_doctor_tells_whether_the_secret_is_right() {
    let Some(coturn) = Coturn::start(str::to_owned) else {
        return;
    };
    let url = format!("turn:{}", coturn.address);
    for (secret, code, words) in [
        (SECRET, 0, "ok       turn:"),
        ("south", 1, "the shared secret or the clock may be wrong"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_visavis-server"))
            .args(["doctor", "--listen", "127.0.0.1:0", "--turn-url", &url])
            .env("VISAVIS_TURN_SECRET", secret)
            .env("VISAVIS_ASSETS", coturn.folder())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(words), "{told}");
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(!told.contains(secret), "{told}");
    }
}
