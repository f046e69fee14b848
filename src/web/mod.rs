//! The browser, one capability a file. No leptos, no policy, no core.
//!
//! Every listener is a [`Listener`], whose `Drop` takes it off again; every failure of the browser
//! is an [`Error`]. Handlers are plain `Fn`s that are expected only to enqueue.
