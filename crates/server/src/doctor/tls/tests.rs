//! Against servers with certificates of our own making.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use super::super::wire::Deadline;
use super::*;

/// A certificate and its key.
pub(in crate::doctor) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// A day on which no test runs any more.
pub(in crate::doctor) fn far_day() -> SystemTime {
    date_time_ymd(2999, 12, 31).into()
}

impl Identity {
    pub(in crate::doctor) fn of(name: &str, end: SystemTime) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        // An issuer is found by this, and is the certificate itself here.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = end.into();
        Self {
            certificate: params.self_signed(&key).unwrap().der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    /// Trust in this and nothing else.
    pub(in crate::doctor) fn trust(&self) -> Trust {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Trust::of(roots)
    }

    /// A server that shows it.
    pub(in crate::doctor) fn server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        Arc::new(config)
    }
}

/// The server's end of an encrypted connection.
pub(in crate::doctor) fn secure(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config).unwrap(), stream)
}

/// What is found at a server with this certificate, called `localhost`.
fn found(identity: &Identity, trust: &Trust) -> Finding {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = identity.server();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config).unwrap();
        while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
    });
    let wire = Wire::open(address, Deadline::after(Duration::from_secs(20))).unwrap();
    let finding = trust
        .secure(wire, "localhost", &[])
        .map_or_else(|finding| finding, |secured| secured.certificate);
    serving.join().unwrap();
    finding
}

#[test]
fn a_certificate_for_the_name_is_good_until_its_day() {
    let identity = Identity::of("localhost", far_day());
    assert_eq!(
        found(&identity, &identity.trust()),
        Finding::Fine("its certificate is good until 2999-12-31".into())
    );
}

#[test]
fn each_fault_of_a_certificate_has_its_words() {
    let good = Identity::of("localhost", far_day());
    let misnamed = Identity::of("meet.example", far_day());
    let ended = Identity::of("localhost", date_time_ymd(2020, 2, 3).into());
    for (identity, trust, words) in [
        (&good, misnamed.trust(), "nobody whom this machine trusts"),
        (&misnamed, misnamed.trust(), "for another name"),
        (&ended, ended.trust(), "ended on 2020-02-03"),
    ] {
        let finding = found(identity, &trust);
        assert!(
            matches!(&finding, Finding::Broken(text) if text.contains(words)),
            "{finding}"
        );
    }
}

#[test]
fn a_certificate_that_ends_soon_is_doubtful() {
    let soon = SystemTime::now() + RENEW_BEFORE - Duration::from_hours(1);
    let identity = Identity::of("localhost", soon);
    let finding = found(&identity, &identity.trust());
    assert!(
        matches!(&finding, Finding::Doubtful(text) if text.contains("only until")),
        "{finding}"
    );
}

#[test]
fn the_last_fortnight_begins_on_time() {
    let end = Duration::from_secs(1_800_000_000);
    assert!(matches!(judge(end, end - RENEW_BEFORE), Finding::Fine(text) if text.ends_with("2027-01-15")));
    let second = Duration::from_secs(1);
    assert!(matches!(
        judge(end, end - RENEW_BEFORE + second),
        Finding::Doubtful(_)
    ));
    assert!(matches!(judge(end, end + second), Finding::Broken(_)));
}

#[test]
fn without_authorities_nothing_is_judged() {
    let identity = Identity::of("localhost", far_day());
    let finding = found(&identity, &Trust::Nobody("no reason".into()));
    assert_eq!(finding, Finding::Doubtful("no reason".into()));
}

#[test]
fn what_speaks_no_tls_or_nothing_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let trust = Identity::of("localhost", far_day()).trust();
    let secure = |time| {
        let wire = Wire::open(address, Deadline::after(time)).unwrap();
        match trust.secure(wire, "localhost", &[]) {
            Ok(_) => panic!("no TLS there"),
            Err(finding) => finding.to_string(),
        }
    };
    // Taken by the system, and never answered.
    let told = secure(Duration::from_millis(50));
    assert!(told.contains("no answer in time"), "{told}");
    let (silent, _) = listener.accept().unwrap();
    drop(silent);
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        stream
    });
    let told = secure(Duration::from_secs(20));
    assert!(told.contains("does not speak TLS"), "{told}");
    answering.join().unwrap();
}
