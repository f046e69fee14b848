//! Against servers of our own that answer right, wrong, and not at all.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread::JoinHandle;

use rustls::{RootCertStore, ServerConnection, StreamOwned};
use stun_types::message::LongTermKeyCredentials;

use super::super::Patience;
use super::super::tls::Trust;
use super::super::tls::tests::{Identity, far_day, secure};
use super::*;

const REALM: &str = "visavis.test";
const NONCE: &str = "once";

/// Short, for those that never answer.
const IMPATIENT: Patience = Patience {
    attempt: Duration::from_millis(50),
    attempts: 2,
    check: Duration::from_secs(20),
};

const PATIENT: Patience = Patience {
    attempt: Duration::from_secs(5),
    attempts: 1,
    check: Duration::from_secs(20),
};

/// Answers as many datagrams as there are answers; what it was asked.
fn serve(answers: Vec<fn(&Message<'_>, SocketAddr) -> Vec<u8>>) -> (SocketAddr, JoinHandle<usize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let serving = std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        for (n, answer) in answers.iter().enumerate() {
            let Ok((bytes, from)) = socket.recv_from(&mut buffer) else {
                return n;
            };
            let request = Message::from_bytes(&buffer[..bytes]).unwrap();
            socket.send_to(&answer(&request, from), from).unwrap();
        }
        answers.len()
    });
    (address, serving)
}

fn server(username: &str, credential: &str) -> IceServer {
    IceServer {
        urls: Vec::new(),
        username: Some(username.into()),
        credential: Some(credential.into()),
    }
}

fn means(patience: Patience) -> Means {
    Means {
        patience,
        trust: Trust::of(RootCertStore::empty()),
    }
}

fn ask(scheme: &str, address: SocketAddr, credential: &str, patience: Patience) -> Finding {
    check(
        &format!("{scheme}:{address}"),
        &server("ada", credential),
        &means(patience),
    )
}

fn mapped(request: &Message<'_>, from: SocketAddr) -> Vec<u8> {
    let mut answer = Message::builder_success(request, MessageWriteVec::new());
    answer
        .add_attribute(&XorMappedAddress::new(from, request.transaction_id()))
        .unwrap();
    answer.finish()
}

fn error(request: &Message<'_>, code: u16) -> MessageWriteVec {
    let mut answer = Message::builder_error(request, MessageWriteVec::new());
    answer
        .add_attribute(&ErrorCode::new(code, "No\u{7}").unwrap())
        .unwrap();
    answer
}

fn challenge(request: &Message<'_>, _: SocketAddr) -> Vec<u8> {
    let mut answer = error(request, UNAUTHORIZED);
    answer.add_attribute(&Realm::new(REALM).unwrap()).unwrap();
    answer.add_attribute(&Nonce::new(NONCE).unwrap()).unwrap();
    answer.finish()
}

/// Relays for `ada` with the password `lovelace`, and challenges everybody else again.
fn allocate(request: &Message<'_>, from: SocketAddr) -> Vec<u8> {
    let key: MessageIntegrityCredentials =
        LongTermKeyCredentials::new("ada".into(), "lovelace".into(), REALM.into()).into();
    if request.validate_integrity(&key).is_err() {
        return challenge(request, from);
    }
    assert_eq!(request.attribute::<Nonce>().unwrap().nonce(), NONCE);
    let mut answer = Message::builder_success(request, MessageWriteVec::new());
    if request.method() == ALLOCATE {
        let relayed = "192.0.2.7:5000".parse().unwrap();
        answer
            .add_attribute(&XorRelayedAddress::new(relayed, request.transaction_id()))
            .unwrap();
    } else {
        assert_eq!(request.attribute::<Lifetime>().unwrap().seconds(), 0);
    }
    answer
        .add_message_integrity(&key, IntegrityAlgorithm::Sha1)
        .unwrap();
    answer.finish()
}

#[test]
fn a_stun_server_says_where_we_are() {
    let (address, serving) = serve(vec![mapped]);
    let finding = ask("stun", address, "", PATIENT);
    assert_eq!(serving.join().unwrap(), 1);
    assert!(
        matches!(&finding, Finding::Fine(text) if text.contains("127.0.0.1")),
        "{finding}"
    );
}

#[test]
fn a_turn_server_relays_for_the_right_credential_and_gets_its_port_back() {
    let (address, serving) = serve(vec![challenge, allocate, allocate]);
    let finding = ask("turn", address, "lovelace", PATIENT);
    assert_eq!(serving.join().unwrap(), 3);
    assert!(
        matches!(&finding, Finding::Fine(text) if text.contains("192.0.2.7")),
        "{finding}"
    );
}

#[test]
fn a_wrong_credential_is_told_and_not_shown() {
    let (address, _serving) = serve(vec![challenge, allocate]);
    let finding = ask("turn", address, "byron", PATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("refuses")),
        "{finding}"
    );
    assert!(!finding.to_string().contains("byron"));
}

#[test]
fn an_open_relay_is_doubtful() {
    let open = |request: &Message<'_>, _: SocketAddr| {
        let mut answer = Message::builder_success(request, MessageWriteVec::new());
        let relayed = "192.0.2.7:5000".parse().unwrap();
        answer
            .add_attribute(&XorRelayedAddress::new(relayed, request.transaction_id()))
            .unwrap();
        answer.finish()
    };
    let (address, _serving) = serve(vec![open, open]);
    let finding = ask("turn", address, "x", PATIENT);
    assert!(matches!(finding, Finding::Doubtful(_)), "{finding}");
}

#[test]
fn an_answer_signed_by_somebody_else_is_broken() {
    let foreign = |request: &Message<'_>, _: SocketAddr| {
        let mut answer = Message::builder_success(request, MessageWriteVec::new());
        let relayed = "192.0.2.7:5000".parse().unwrap();
        answer
            .add_attribute(&XorRelayedAddress::new(relayed, request.transaction_id()))
            .unwrap();
        let key = LongTermKeyCredentials::new("eve".into(), "x".into(), REALM.into()).into();
        answer
            .add_message_integrity(&key, IntegrityAlgorithm::Sha1)
            .unwrap();
        answer.finish()
    };
    let (address, _serving) = serve(vec![challenge, foreign, foreign]);
    let finding = ask("turn", address, "lovelace", PATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("not signed")),
        "{finding}"
    );
}

#[test]
fn errors_come_in_words_without_what_a_terminal_would_obey() {
    let (address, _serving) = serve(vec![|request, _| error(request, 508).finish()]);
    let finding = ask("turn", address, "x", PATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("no port")),
        "{finding}"
    );
    let (address, _serving) = serve(vec![|request, _| error(request, 599).finish()]);
    let finding = ask("turn", address, "x", PATIENT).to_string();
    assert!(
        finding.contains("599: No") && !finding.contains('\u{7}'),
        "{finding}"
    );
}

#[test]
fn silence_noise_and_closed_ports_are_told_apart() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let finding = ask("stun", address, "", IMPATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("no answer")),
        "{finding}"
    );
    drop(silent);
    let finding = ask("stun", address, "", PATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("nothing listens")),
        "{finding}"
    );
    let (address, _serving) = serve(vec![|_, _| b"HTTP/1.1 400 Bad Request".to_vec()]);
    let finding = ask("stun", address, "", PATIENT);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("speak STUN")),
        "{finding}"
    );
}

/// Answers in a stream, each answer in two pieces.
fn answer_in_stream(
    stream: &mut (impl Read + Write),
    from: SocketAddr,
    answers: &[fn(&Message<'_>, SocketAddr) -> Vec<u8>],
) {
    for answer in answers {
        let mut request = vec![0; 20];
        stream.read_exact(&mut request).unwrap();
        let body = usize::from(u16::from_be_bytes([request[2], request[3]]));
        request.resize(20 + body, 0);
        stream.read_exact(&mut request[20..]).unwrap();
        let answer = answer(&Message::from_bytes(&request).unwrap(), from);
        let (first, second) = answer.split_at(21);
        stream.write_all(first).unwrap();
        stream.write_all(second).unwrap();
        stream.flush().unwrap();
    }
}

#[test]
fn streams_are_read_to_the_end_of_each_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, from) = listener.accept().unwrap();
        answer_in_stream(&mut stream, from, &[challenge, allocate, allocate]);
    });
    let url = format!("turn:{address}?transport=tcp");
    let finding = check(&url, &server("ada", "lovelace"), &means(PATIENT));
    serving.join().unwrap();
    assert!(
        matches!(&finding, Finding::Fine(text) if text.contains("192.0.2.7")),
        "{finding}"
    );
}

#[test]
fn a_turn_server_over_tls_is_asked_like_the_others() {
    let identity = Identity::of("localhost", far_day());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = identity.server();
    let serving = std::thread::spawn(move || {
        let (stream, from) = listener.accept().unwrap();
        let mut stream = secure(stream, config);
        answer_in_stream(&mut stream, from, &[challenge, allocate, allocate]);
    });
    let means = Means {
        patience: PATIENT,
        trust: identity.trust(),
    };
    let url = format!("turns:localhost:{port}?transport=tcp");
    let finding = check(&url, &server("ada", "lovelace"), &means);
    serving.join().unwrap();
    let Finding::Fine(text) = finding else {
        panic!("{finding}");
    };
    assert!(
        text.contains("192.0.2.7") && text.contains("good until 2999-"),
        "{text}"
    );
}

#[test]
fn a_stun_server_whose_certificate_is_not_trusted_is_not_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Identity::of("localhost", far_day()).server();
    let serving = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream: StreamOwned<ServerConnection, _> = secure(stream, config);
        stream.read(&mut [0]).is_ok_and(|read| read > 0)
    });
    let finding = check(
        &format!("stuns:localhost:{port}"),
        &server("ada", "x"),
        &means(PATIENT),
    );
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("nobody whom this machine trusts")),
        "{finding}"
    );
    assert!(!serving.join().unwrap(), "it was asked");
}

#[test]
fn lost_datagrams_are_sent_again() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let serving = std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        let (first, _) = socket.recv_from(&mut buffer).unwrap();
        let lost = buffer[..first].to_vec();
        let (second, from) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(lost, buffer[..second], "the same request");
        let request = Message::from_bytes(&lost).unwrap();
        socket.send_to(&mapped(&request, from), from).unwrap();
    });
    // The first answer is not waited for long, the second would be.
    let patience = Patience {
        attempts: 100,
        ..IMPATIENT
    };
    let finding = ask("stun", address, "", patience);
    serving.join().unwrap();
    assert!(matches!(finding, Finding::Fine(_)), "{finding}");
}

#[test]
fn the_time_of_a_check_is_kept_however_long_an_attempt_may_take() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let patience = Patience {
        attempt: Duration::from_secs(15),
        attempts: 4,
        check: Duration::from_millis(50),
    };
    let start = std::time::Instant::now();
    let finding = ask("stun", silent.local_addr().unwrap(), "", patience);
    assert!(
        matches!(&finding, Finding::Broken(text) if text.contains("no answer")),
        "{finding}"
    );
    assert!(start.elapsed() < patience.attempt);
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let finding = check(
        "turn:ada:lovelace@turn.example",
        &server("ada", "lovelace"),
        &means(PATIENT),
    );
    assert!(matches!(finding, Finding::Broken(_)), "{finding}");
    assert!(!finding.to_string().contains("lovelace"), "{finding}");
}
