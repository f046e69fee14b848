//! Browsers, their drivers and the network tools: the distribution's packages.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{cache, install, process};

/// A program and the Debian package that brings it.
struct Packaged {
    program: &'static str,
    package: &'static str,
}

const WANTED: [Packaged; 8] = [
    Packaged {
        program: "chromium",
        package: "chromium",
    },
    Packaged {
        program: "chromedriver",
        package: "chromium-driver",
    },
    Packaged {
        program: "firefox-esr",
        package: "firefox-esr",
    },
    Packaged {
        program: "ip",
        package: "iproute2",
    },
    Packaged {
        program: "iptables",
        package: "iptables",
    },
    Packaged {
        program: "conntrack",
        package: "conntrack",
    },
    Packaged {
        program: "turnserver",
        package: "coturn",
    },
    // Tells a Chromium whom to trust.
    Packaged {
        program: "certutil",
        package: "libnss3-tools",
    },
];

/// What is missing, why, and how to get it by hand.
pub type Absent = (String, String, String);

/// Installs what is missing, where the distribution and our rights allow it.
pub fn install() -> Vec<Result<(), Absent>> {
    let missing: Vec<&Packaged> = WANTED.iter().filter(|wanted| !is_there(wanted.program)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let packages: Vec<&str> = missing.iter().map(|wanted| wanted.package).collect();
    let why = match install_packages(&packages) {
        Ok(()) => "its package did not bring it".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    missing
        .iter()
        .filter(|wanted| !is_there(wanted.program))
        .map(|wanted| {
            Err((
                wanted.program.to_owned(),
                why.clone(),
                format!("sudo apt-get install {}", wanted.package),
            ))
        })
        .collect()
}

/// Whether a program is installed. The network tools lie in a folder that only root's path has.
pub fn is_there(program: &str) -> bool {
    process::is_in_path(program)
        || ["/usr/sbin", "/sbin"]
            .iter()
            .any(|folder| std::path::Path::new(folder).join(program).is_file())
}

fn install_packages(packages: &[&str]) -> Result<()> {
    if !process::is_in_path("apt-get") {
        bail!("there is no apt-get here to install it with");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("only root can install it");
    }
    let log = cache::dir()?.join("logs").join("apt.log");
    install::with_progress(&packages.join(", "), "installing", || {
        // A list of packages that is a day old names files that are gone.
        let update = process::run_logged(Command::new("apt-get").args(["-qq", "update"]), &log);
        let mut command = Command::new("apt-get");
        command
            .args(["-qq", "-y", "--no-install-recommends", "install"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::run_logged(&mut command, &log).or_else(|error| {
            update?;
            Err(error)
        })
    })
}
