//! A way from this machine to the loopback interface of a host in the lab, which neither the host's
//! browser nor its network knows of: a driver can be reached while the host is cut off.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;

use anyhow::Result;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Opens a port here that leads to `port` on the loopback interface in the namespace at `path`.
///
/// # Errors
/// If no port is free, or the namespace cannot be entered.
pub fn reach(path: &str, port: u16) -> Result<u16> {
    let namespace = File::open(path)?;
    // The listener stays where it was made, whatever its thread enters later.
    // The same port where it is free: geckodriver answers only who calls it by its own.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let here = listener.local_addr()?.port();
    std::thread::Builder::new().name("way".into()).spawn(move || {
        if move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).is_err() {
            return;
        }
        for outside in listener.incoming().flatten() {
            let Ok(inside) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                continue;
            };
            let (Ok(outside_too), Ok(inside_too)) = (outside.try_clone(), inside.try_clone()) else {
                continue;
            };
            std::thread::spawn(move || copy(outside, inside));
            std::thread::spawn(move || copy(inside_too, outside_too));
        }
    })?;
    Ok(here)
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}
