//! Calls between real browsers and the real server, judged from the outside.
//!
//! A test gets a [`Stage`]: a server process on a free port and as many browsers as it asks for,
//! each with a driver and a profile of its own. It acts as a person would, by role and accessible
//! name (see [`page`]), and looks at what the browser itself says about connections, tracks and
//! listeners (see [`probe`]). The client has no hooks for tests. Nothing here sleeps to wait:
//! every wait looks at a condition until a deadline.

pub mod acted;
pub mod appointments;
pub mod axe;
pub mod browser;
pub mod contacts;
pub mod files;
pub mod member;
pub mod page;
pub mod place;
pub mod probe;
pub mod process;
pub mod server;
pub mod stage;
pub mod tour;
pub mod wait;

pub use browser::{Browser, Devices, Kind, Permission};
pub use member::Member;
pub use page::Room;
pub use place::Place;
pub use stage::{Stage, run};
pub use wait::{Look, until};

/// One test on a [`Stage`].
#[macro_export]
macro_rules! staged {
    ($(#[$meta:meta])* async fn $name:ident($stage:ident: &Stage) -> Result<()> $body:block) => {
        $(#[$meta])*
        #[test]
        fn $name() {
            $crate::run(concat!(module_path!(), "::", stringify!($name)), async |$stage: &$crate::Stage| -> ::anyhow::Result<()> { $body });
        }
    };
}

/// The same test between two in Chromium, two in Firefox, and one in each. Those of a kind are left to a
/// person: see the profile `e2e` in `.config/nextest.toml`.
#[macro_export]
macro_rules! in_pairs {
    ($(#[$meta:meta])* async fn $name:ident($stage:ident: &Stage, $pair:ident: [Kind; 2]) -> Result<()> $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn test($stage: &$crate::Stage, $pair: [$crate::Kind; 2]) -> ::anyhow::Result<()> $body

            #[test]
            fn both_chromium() {
                let pair = [$crate::Kind::Chromium; 2];
                $crate::run(concat!(module_path!(), "::both_chromium"), async |stage: &$crate::Stage| test(stage, pair).await);
            }

            #[test]
            fn both_firefox() {
                let pair = [$crate::Kind::Firefox; 2];
                $crate::run(concat!(module_path!(), "::both_firefox"), async |stage: &$crate::Stage| test(stage, pair).await);
            }

            #[test]
            fn mixed() {
                let pair = [$crate::Kind::Chromium, $crate::Kind::Firefox];
                $crate::run(concat!(module_path!(), "::mixed"), async |stage: &$crate::Stage| test(stage, pair).await);
            }
        }
    };
}

/// The same test in each browser.
#[macro_export]
macro_rules! in_each {
    ($(#[$meta:meta])* async fn $name:ident($stage:ident: &Stage, $kind:ident: Kind) -> Result<()> $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn test($stage: &$crate::Stage, $kind: $crate::Kind) -> ::anyhow::Result<()> $body

            #[test]
            fn chromium() {
                $crate::run(concat!(module_path!(), "::chromium"), async |stage: &$crate::Stage| test(stage, $crate::Kind::Chromium).await);
            }

            #[test]
            fn firefox() {
                $crate::run(concat!(module_path!(), "::firefox"), async |stage: &$crate::Stage| test(stage, $crate::Kind::Firefox).await);
            }
        }
    };
}
