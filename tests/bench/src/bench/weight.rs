//! What the page weighs on the wire until one can join, and how many requests that takes (G1, G2).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::stage::{Site, Stage};
use crate::chromium::Page;
use crate::lab::Place;
use crate::program;
use crate::table::{Row, Table, Verdict};

/// What is asked for this soon after the page is usable belongs to it.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// One answer.
struct Transfer {
    url: String,
    bytes: f64,
}

/// Measures one cold load of a room's link.
///
/// # Errors
/// If the page does not become usable.
pub fn measure(server: &Path, table: &mut Table) -> Result<()> {
    println!("weight of a cold load of a room's link");
    let stage = Stage::new(Place::quiet(), server, 1)?;
    let (floor, floor_at) = load(&stage, Site::Floor)?;
    let (ours, ours_at) = load(&stage, Site::Ours)?;
    let sum = |transfers: &[Transfer]| transfers.iter().map(|transfer| transfer.bytes).sum::<f64>();
    let elsewhere = ours
        .iter()
        .filter(|transfer| !transfer.url.contains(&ours_at))
        .count();

    let kilobytes = sum(&ours) / 1000.0;
    table.push(Row {
        id: "G1",
        metric: "bytes on the wire to a usable join, heads included".into(),
        goal: "150 KB".into(),
        stretch: "100 KB".into(),
        measured: format!("{kilobytes:.1} KB"),
        floor: format!("{:.1} KB", sum(&floor) / 1000.0),
        verdict: Verdict::at_most(kilobytes, 150.0, 100.0),
    });
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let verdict = Verdict::at_most(ours.len() as f64, 7.0, 5.0);
    table.push(Row {
        id: "G2",
        metric: "requests; to other hosts".into(),
        goal: "7; 0".into(),
        stretch: "5; 0".into(),
        measured: format!("{}; {elsewhere}", ours.len()),
        floor: format!("{}; 0", floor.len()),
        verdict: if elsewhere == 0 { verdict } else { Verdict::Missed },
    });
    for transfer in &ours {
        let path = transfer
            .url
            .split_once(&ours_at)
            .map_or(transfer.url.as_str(), |(_, path)| path);
        table.push(Row::told(
            "",
            format!("of that `{}`", shortened(path)),
            format!("{:.1} KB", transfer.bytes / 1000.0),
            "-",
        ));
    }
    drop((floor, floor_at));
    Ok(())
}

/// Loads a page and adds up; also the address of its server.
fn load(stage: &Stage, site: Site) -> Result<(Vec<Transfer>, String)> {
    let room = stage.room(site);
    let page = stage.browser(0).page()?;
    room.open(&page, "Ada")?;
    program::pause(AFTERWARDS)?;
    let address = room.url().split('/').nth(2).unwrap_or_default().to_owned();
    Ok((transfers(&page), address))
}

fn transfers(page: &Page) -> Vec<Transfer> {
    let mut urls: BTreeMap<String, String> = BTreeMap::new();
    let mut transfers = Vec::new();
    for event in page.take_events() {
        let text = |name: &str| event.params[name].as_str().unwrap_or_default().to_owned();
        match event.method.as_str() {
            "Network.requestWillBeSent" => {
                let url = event.params["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with("http") {
                    urls.insert(text("requestId"), url.to_owned());
                }
            }
            "Network.loadingFinished" => {
                if let Some(url) = urls.remove(&text("requestId")) {
                    let bytes = event.params["encodedDataLength"].as_f64().unwrap_or(0.0);
                    transfers.push(Transfer { url, bytes });
                }
            }
            // Also a request that failed was one.
            "Network.loadingFailed" => {
                if let Some(url) = urls.remove(&text("requestId")) {
                    transfers.push(Transfer { url, bytes: 0.0 });
                }
            }
            _ => {}
        }
    }
    transfers
}

/// A path without the hash in its name, so that the table does not change with every build.
fn shortened(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.split(['-', '_', '.', '/'])
        .fold((String::new(), 0), |(mut kept, at), part| {
            let separator = path[..at].chars().next_back();
            let is_hash = part.len() >= 12 && part.chars().all(|c| c.is_ascii_hexdigit());
            if let Some(separator) = separator.filter(|_| !is_hash) {
                kept.push(separator);
            }
            if !is_hash {
                kept.push_str(part);
            }
            (kept, at + part.len() + 1)
        })
        .0
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn hashes_are_left_out_of_names() {
        assert_eq!(shortened("/visavis-0123456789abcdef_bg.wasm"), "/visavis_bg.wasm");
        assert_eq!(shortened("/room/bench?lang=en#x"), "/room/bench");
        assert_eq!(shortened("/"), "/");
    }
}
