//! `src/web` in real browsers, with fake devices: what no other test can know.
//!
//! `cargo test --target wasm32-unknown-unknown --test web` with `CHROMEDRIVER` or `GECKODRIVER` set.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

mod blocks;
mod capture;
mod channel;
mod day;
mod guards;
mod identity;
mod kept;
mod pair;
mod peer;
mod picked;
mod pipe;
mod popout;
mod recorder;
mod transfers;
mod wait;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
