//! The relay: coturn with a shared secret, on the public network.

use anyhow::{Context, Result};
use visavis_e2e::Stage;
use visavis_e2e::process::Program;

use crate::lab::{Lab, PUBLIC};

/// Its port.
const PORT: u16 = 3478;
const SECRET: &str = "a-secret-of-the-lab";

/// A running relay; dropping it ends it.
pub struct Coturn {
    program: Program,
}

impl Coturn {
    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// If it is not installed or does not come up.
    pub async fn start(stage: &Stage, lab: &Lab) -> Result<Self> {
        let mut command = lab.public().command("turnserver");
        command
            .args(["-n", "--use-auth-secret", "--realm=lab.test", "--fingerprint"])
            .arg(format!("--static-auth-secret={SECRET}"))
            .arg(format!("--listening-port={PORT}"))
            .arg(format!("--listening-ip={PUBLIC}"))
            .arg(format!("--relay-ip={PUBLIC}"))
            .args(["--min-port=49160", "--max-port=49400"])
            .args([
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--no-tcp-relay",
                "--log-file=stdout",
            ])
            .arg("--denied-peer-ip=10.0.0.0-10.255.255.255")
            .arg("--denied-peer-ip=192.168.0.0-192.168.255.255")
            .arg(format!(
                "--pidfile={}",
                stage.folder().join("coturn.pid").display()
            ))
            .arg(format!("--userdb={}", stage.folder().join("coturn.db").display()));
        let log = stage.folder().join("coturn.log");
        let mut program =
            Program::start(&mut command, stage.mark(), log).context("the relay; package coturn brings it")?;
        program.printed("Total General servers").await?;
        Ok(Self { program })
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// The server's options for it: where it is, and the secret.
    ///
    /// # Errors
    /// If the secret cannot be written.
    pub fn options(stage: &Stage, transports: &[&str]) -> Result<Vec<String>> {
        let file = stage.folder().join("turn-secret");
        std::fs::write(&file, SECRET)?;
        let mut options = vec!["--turn-secret-file".to_owned(), file.display().to_string()];
        for transport in transports {
            options.push("--turn-url".to_owned());
            options.push(format!("turn:{PUBLIC}:{PORT}?transport={transport}"));
        }
        Ok(options)
    }

    /// The server's options for asking it for one's own address, as a STUN server.
    #[must_use]
    pub fn stun() -> Vec<String> {
        vec!["--ice-server".to_owned(), format!("stun:{PUBLIC}:{PORT}")]
    }
}
