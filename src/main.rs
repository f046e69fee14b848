//! Starts the client: panic hook, mount. Nothing else.

use visavis::app::App;

fn main() {
    leptos::mount::mount_to_body(App);
}
