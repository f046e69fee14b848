//! A server, the floor, and browsers, set up for one measurement.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use visavis_protocol::RoomSecret;

use crate::chromium::{Browser, Page};
use crate::floor::Floor;
use crate::lab::Place;
use crate::program;
use crate::server::Server;

/// How long a page may take to be usable. Generous: a slow machine is a figure, not a failure.
pub const USABLE_WITHIN: Duration = Duration::from_secs(40);
/// How long a call may take to connect.
pub const CONNECTED_WITHIN: Duration = Duration::from_secs(30);

/// A person looks at the own picture before the click; what can be done ahead may be done then.
const BEFORE_CLICK: Duration = Duration::from_millis(1500);

/// All browsers of a bench share one address, which opens rooms faster than one household would.
/// No other limit is touched.
const LIMITS: [&str; 4] = [
    "--limit",
    "rooms_per_minute=1000",
    "--limit",
    "joins_per_second=100",
];

/// Which page is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Our client.
    Ours,
    /// The least page.
    Floor,
    /// The least page, with its connections made before the click.
    WarmFloor,
}

/// Everything that a measurement needs; dropping it ends it all.
pub struct Stage {
    // Dropped in this order: browsers, then servers, then the network under them.
    browsers: Vec<Browser>,
    server: Server,
    floor: Floor,
    place: Place,
}

/// A room that nobody was in yet.
pub struct Room {
    site: Site,
    url: String,
}

impl Stage {
    /// Starts everything. Browsers are put on hosts in turn, servers on the last host.
    ///
    /// # Errors
    /// If something does not come up.
    pub fn new(place: Place, server: &Path, browsers: usize) -> Result<Self> {
        let last = if place.is_distant() { browsers } else { 0 };
        let host = place.host(last);
        let server = Server::start(server, &host.address, &host.wrap, &LIMITS)?;
        let floor = Floor::start(host)?;
        let browsers = (0..browsers)
            .map(|n| Browser::start(place.host(n), &[&server.address, &floor.address]))
            .collect::<Result<_>>()?;
        Ok(Self {
            browsers,
            server,
            floor,
            place,
        })
    }

    /// The nth browser.
    #[must_use]
    pub fn browser(&self, n: usize) -> &Browser {
        &self.browsers[n]
    }

    /// All browsers.
    #[must_use]
    pub fn browsers(&self) -> &[Browser] {
        &self.browsers
    }

    /// Whether there is a distance between the browsers.
    #[must_use]
    pub const fn is_distant(&self) -> bool {
        self.place.is_distant()
    }

    /// A new room.
    #[must_use]
    pub fn room(&self, site: Site) -> Room {
        let url = match site {
            Site::Ours => {
                let secret = RoomSecret::from_bytes(fastrand::u128(..).to_be_bytes());
                format!(
                    "http://{}/room/bench?lang=en#{}",
                    self.server.address,
                    secret.to_text()
                )
            }
            // The path stays, as ours does: browsers keep things by path, even over contexts.
            Site::Floor => format!(
                "http://{}/room/bench?lang=en#{}",
                self.floor.address,
                fastrand::u64(..)
            ),
            Site::WarmFloor => format!(
                "http://{}/room/bench?warm#{}",
                self.floor.address,
                fastrand::u64(..)
            ),
        };
        Room { site, url }
    }
}

impl Room {
    /// Its link.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it in an empty page and waits until one could join.
    ///
    /// # Errors
    /// If that does not come to pass.
    pub fn open(&self, page: &Page, name: &str) -> Result<()> {
        page.go(&self.url)?;
        page.wait("__probe.ready !== null", USABLE_WITHIN)
            .with_context(|| format!("{:?} did not become usable", self.site))?;
        if self.site == Site::Ours {
            page.eval(&format!("__probe.setName({name:?})"))?;
        }
        Ok(())
    }

    /// Clicks the button and waits until the page is in the room.
    ///
    /// # Errors
    /// If that does not come to pass.
    pub fn join(&self, page: &Page) -> Result<()> {
        page.eval("__probe.click()")?;
        page.wait(
            "document.querySelector('main[data-room-state=joined]')",
            CONNECTED_WITHIN,
        )
        .with_context(|| format!("{:?} did not join", self.site))
    }

    /// Waits until the page has `count` connected links.
    ///
    /// # Errors
    /// If that does not come to pass.
    pub fn wait_for_links(&self, page: &Page, count: usize) -> Result<()> {
        let connected = "__probe.connections.filter((link) => link.connectionState === 'connected').length";
        page.wait(&format!("{connected} >= {count}"), CONNECTED_WITHIN)
            .with_context(|| format!("{:?} did not connect", self.site))
    }

    /// Waits, before the click, as long as a person would; and until the page knows of the others.
    ///
    /// # Errors
    /// If that does not come to pass.
    pub fn wait_before_click(&self, page: &Page) -> Result<()> {
        match self.site {
            // Our client is told of the room while the person looks at the page.
            Site::Ours => {}
            Site::Floor => page.wait("members.length > 0", CONNECTED_WITHIN)?,
            Site::WarmFloor => self.wait_for_links(page, 1)?,
        }
        program::pause(BEFORE_CLICK)
    }
}
