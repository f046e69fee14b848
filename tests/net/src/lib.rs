//! The network lab: two hosts behind NATs of their own, and a public network between them with the
//! server and a relay.
//!
//! ```text
//! hA ── natA ──┐                ┌── natB ── hB
//!       natC ──┴── 203.0.113/24 ┘
//!   (hA's other way out)  │
//!                     server, coturn
//! ```
//! Everything lies in network namespaces with no way to this machine's network, and is gone with the
//! lab. The public network is TEST-NET-3 (RFC 5737), so that the relay's list of forbidden peers can
//! stay on. Without root, or without the tools, tests say so and are skipped.

pub mod coturn;
pub mod host;
pub mod lab;
pub mod meeting;
mod namespace;

pub use lab::{Client, Lab, Nat};
pub use meeting::Meeting;

/// One test in a lab, skipped where none can be made.
#[macro_export]
macro_rules! in_lab {
    ($(#[$meta:meta])* async fn $name:ident($stage:ident: &Stage, $lab:ident: &Lab) -> Result<()> $body:block) => {
        $(#[$meta])*
        #[test]
        fn $name() {
            let name = concat!(module_path!(), "::", stringify!($name));
            visavis_e2e::run(name, async |$stage: &visavis_e2e::Stage| -> ::anyhow::Result<()> {
                match $crate::Lab::build() {
                    Ok(lab) => {
                        let lab = ::std::rc::Rc::new(lab);
                        $stage.stand_on(::std::rc::Rc::clone(&lab));
                        let $lab = &*lab;
                        $body
                    }
                    Err(error) => {
                        $stage.skip(&format!("no network lab here: {error:#}"));
                        Ok(())
                    }
                }
            });
        }
    };
}

/// The same test with Chromium on both sides, Firefox on both, and one of each.
#[macro_export]
macro_rules! pairs_in_lab {
    ($(#[$meta:meta])* async fn $name:ident($stage:ident: &Stage, $lab:ident: &Lab, $pair:ident: [Kind; 2]) -> Result<()> $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn test($stage: &Stage, $lab: &Lab, $pair: [Kind; 2]) -> ::anyhow::Result<()> $body

            $crate::in_lab! {
                async fn chromium(stage: &Stage, lab: &Lab) -> Result<()> {
                    test(stage, lab, [Kind::Chromium; 2]).await
                }
            }

            $crate::in_lab! {
                async fn firefox(stage: &Stage, lab: &Lab) -> Result<()> {
                    test(stage, lab, [Kind::Firefox; 2]).await
                }
            }

            $crate::in_lab! {
                async fn mixed(stage: &Stage, lab: &Lab) -> Result<()> {
                    test(stage, lab, [Kind::Chromium, Kind::Firefox]).await
                }
            }
        }
    };
}
