//! Starts the client: panic hook, mount. Nothing else.

use visavis::app::App;

fn main() {
    visavis::web::panic::install_hook();
    leptos::mount::mount_to_body(App);
}
