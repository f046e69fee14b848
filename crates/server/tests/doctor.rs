//! The doctor as operators and their scripts meet it: the real program and its exit codes.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that called it")]

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use rustls::{ServerConfig, ServerConnection};
use tokio::process::Command;
use tokio::time::timeout;
use visavis_server::Config;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of its own with a client in it, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visavis-doctor-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("index.html"), "<!doctype html><title>Visavis</title>").unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the program answered.
struct Told {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Told {
    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.code, Some(code), "{all}");
        for words in words {
            assert!(self.stdout.contains(words), "no `{words}` in {all}");
        }
    }
}

async fn run(folder: &Folder, arguments: &[&str], environment: &[(&str, &str)]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command
        .args(arguments)
        .env("VISAVIS_ASSETS", &folder.0)
        .env_remove("SSL_CERT_DIR")
        .envs(environment.iter().copied())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    Told {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn the_exit_code_tells_scripts_whether_something_is_broken() {
    let folder = Folder::new("code");
    let told = run(&folder, &["doctor", "--listen", "127.0.0.1:0"], &[]).await;
    told.is(0, &["ok       listen 127.0.0.1:0", "warning  no STUN or TURN"]);
    assert!(told.stdout.ends_with("Nothing is broken.\n"), "{}", told.stdout);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let hangs_up = std::thread::spawn(move || drop(taken.accept()));
    let told = run(&folder, &["doctor", "--listen", &listen], &[]).await;
    hangs_up.join().unwrap();
    told.is(1, &[&format!("failed   listen {listen}: another program")]);
    assert!(told.stdout.ends_with("One thing is broken.\n"), "{}", told.stdout);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_as_in_serving() {
    let folder = Folder::new("settings");
    for wrong in [
        &["--listen", "nowhere"][..],
        &["--ice-server", "turn:turn.example"],
        &["--log", "a=b=c"],
    ] {
        let serving = run(&folder, wrong, &[]).await;
        let doctor = run(&folder, &[&["doctor"], wrong].concat(), &[]).await;
        doctor.is(64, &[]);
        assert_eq!(doctor.code, serving.code);
        assert_eq!(doctor.stderr, serving.stderr);
        assert_eq!(doctor.stdout, "");
    }
    run(&folder, &["doctor", "--no-such-flag"], &[]).await.is(64, &[]);
}

#[tokio::test]
async fn beside_the_running_server_all_of_it_is_looked_at() {
    let folder = Folder::new("beside");
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Config::default()
    };
    let server = visavis_server::serve(config).await.unwrap();
    let address = server.local_addr().to_string();
    let origin = format!("http://{address}");
    let flags = [
        "--listen",
        &address,
        "--public-origin",
        &origin,
        "--trusted-proxy",
        "127.0.0.1",
    ];
    for arguments in [
        [&["doctor"][..], &flags].concat(),
        [&flags[..], &["doctor"]].concat(),
    ] {
        run(&folder, &arguments, &[]).await.is(
            0,
            &[
                &format!("warning  listen {address}: a Visavis server runs there already"),
                &format!("ok       public origin {origin}: a Visavis server answers there"),
                &format!("ok       public origin {origin}: WebSockets come through"),
            ],
        );
    }
    server.shutdown().await;
}

/// An address of UDP at which nothing listens.
fn nobody() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn one_broken_server_does_not_hide_the_next_and_no_credential_is_shown() {
    let folder = Folder::new("ice");
    let (turn, stun, own) = (nobody(), nobody(), nobody());
    let file = folder.write(
        "visavis.toml",
        &format!(
            "listen = \"127.0.0.1:0\"\n\
             turn_url = \"turn:{own}\"\nturn_secret = \"north-star\"\n\
             [[ice_server]]\nurls = [\"turn:{turn}\", \"stun:{stun}\"]\n\
             username = \"ada-by-name\"\ncredential = \"lovelace\"\n"
        ),
    );
    let told = run(&folder, &["doctor"], &[("VISAVIS_CONFIG", &file)]).await;
    told.is(
        1,
        &[
            &format!("failed   turn:{turn}: nothing listens there"),
            &format!("failed   stun:{stun}: nothing listens there"),
            &format!("failed   turn:{own}: nothing listens there"),
            "3 things are broken.",
        ],
    );
    for secret in ["ada-by-name", "lovelace", "north-star"] {
        assert!(!format!("{}{}", told.stdout, told.stderr).contains(secret));
    }
}

#[tokio::test]
async fn the_machine_s_authorities_decide_whether_a_certificate_is_good() {
    let folder = Folder::new("tls");
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = identity.cert.der();
    let body: Vec<String> = Base64::encode_string(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let body = body.join("\n");
    let authorities = folder.write(
        "authorities.pem",
        &format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"),
    );
    let nowhere = folder.0.join("absent.pem").to_str().unwrap().to_owned();
    let key = identity.signing_key.serialize_der().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    // Shows its certificate to whoever comes, and says no more.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
        }
    });
    let flags = ["doctor", "--listen", "127.0.0.1:0", "--public-origin", &origin];
    let about = |sign: &str, words: &str| format!("{sign} public origin {origin}: {words}");
    run(&folder, &flags, &[("SSL_CERT_FILE", &authorities)]).await.is(
        1,
        &[
            &about("ok      ", "its certificate is good until 4096-01-01"),
            &about("failed  ", "it ends the connection without an answer"),
        ],
    );
    run(&folder, &flags, &[("SSL_CERT_FILE", &nowhere)])
        .await
        .is(0, &[&about("warning ", "its certificate cannot be judged")]);
}
