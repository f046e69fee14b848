//! Visavis in the browser: the client.
//!
//! `web` wraps the browser, `runtime` joins it with the call core, everything else shows what the
//! runtime has and tells it what people want. `docs/architecture.md` draws the house.

pub mod app;
pub mod calendar;
pub mod components;
pub mod i18n;
pub mod layout;
pub mod pages;
pub mod route;
pub mod runtime;
pub mod shortcuts;
pub mod web;
