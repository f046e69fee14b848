//! What a browser keeps and knows: storage, locks, randomness, text, links.

use core::time::Duration;

use visavis::route::{LinkError, RoomLink, Route};
use visavis::web::storage::Shelf;
use visavis::web::{lock, random, text};
use wasm_bindgen_test::wasm_bindgen_test;

const PATIENCE: Duration = Duration::from_millis(100);

#[wasm_bindgen_test]
fn texts_are_kept_and_forgotten() {
    for shelf in [Shelf::Device, Shelf::Tab] {
        assert_eq!(shelf.get("visavis.test"), None);
        shelf.put("visavis.test", Some("李 ✨"));
        assert_eq!(shelf.get("visavis.test").as_deref(), Some("李 ✨"));
        shelf.put("visavis.test", None);
        assert_eq!(shelf.get("visavis.test"), None);
    }
}

#[wasm_bindgen_test]
async fn a_lock_is_held_until_it_is_dropped() {
    let held = lock::claim("visavis.test", PATIENCE).await;
    assert!(held.is_some());
    assert!(lock::claim("visavis.test", PATIENCE).await.is_none());
    assert!(lock::claim("visavis.other", PATIENCE).await.is_some());
    drop(held);
    assert!(lock::claim("visavis.test", PATIENCE).await.is_some());
}

#[wasm_bindgen_test]
fn random_bytes_are_not_the_same_twice() {
    let first: [u8; 16] = random::bytes().unwrap();
    assert_ne!(first, [0; 16]);
    assert_ne!(first, random::bytes().unwrap());
}

#[wasm_bindgen_test]
fn one_name_typed_in_two_ways_is_one_room() {
    let route = |path: &str| Route::parse(path, "", text::normalize);
    let composed = route("/room/Zo%C3%AB");
    assert_eq!(composed, route("/room/Zoe%CC%88"));
    assert!(matches!(composed, Route::Room(link) if link.name() == "Zo\u{eb}"));
}

#[wasm_bindgen_test]
fn damaged_links_are_named_and_never_panic() {
    let megabyte = "x".repeat(1024 * 1024);
    for fragment in [
        "#short",
        "#<script>alert(1)</script>",
        &megabyte,
        "#\u{0}\u{202e}",
    ] {
        let route = Route::parse("/room/tea", fragment, text::normalize);
        assert_eq!(route, Route::BadRoomLink(LinkError::Secret));
    }
    let secret = random::bytes()
        .map(visavis_protocol::RoomSecret::from_bytes)
        .unwrap();
    let link = RoomLink::new("tea".into(), Some(secret)).unwrap();
    let url = link.url("https://visavis.example");
    let read = RoomLink::from_input(&url, "https://visavis.example", text::normalize);
    assert_eq!(read, Ok(link));
}
