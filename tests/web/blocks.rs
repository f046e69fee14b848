//! Received blocks in the browser's keeping: found again by a page that knows nothing of them, forgotten,
//! held in memory.

use js_sys::Uint8Array;
use visavis::web::blocks::{self, Blocks, Left};
use visavis::web::digest::sha256;
use visavis::web::{ErrorName, blob, folder, value};
use visavis_protocol::limits::TRANSFER_BYTES_IN_MEMORY;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

fn bytes(of: &[u8]) -> Uint8Array {
    Uint8Array::from(of)
}

async fn read(file: &JsValue) -> Vec<u8> {
    let bytes = u32::try_from(blob::size(file)).unwrap();
    blob::read(file, 0, bytes).await.unwrap().to_vec()
}

/// What there is under a name.
async fn left(name: &str) -> Option<Left> {
    let all = blocks::left().await.unwrap_or_default();
    all.into_iter().find(|left| left.name == name)
}

async fn prepare(name: &str) -> Blocks {
    let blocks = Blocks::prepare(name, "what it is", 100, Vec::new(), 0)
        .await
        .unwrap();
    assert!(!blocks.are_in_memory(), "this browser can keep it on disk");
    blocks
}

#[wasm_bindgen_test]
async fn a_page_that_is_loaded_anew_finds_what_was_stored() {
    let name = "found-again";
    let stored = prepare(name).await;
    stored.store(0, [1; 32], &bytes(b"one")).await.unwrap();
    stored.store(1, [2; 32], &bytes(b"two")).await.unwrap();
    drop(stored);

    let found = left(name).await.unwrap();
    assert_eq!(found.meta, "what it is");
    assert_eq!(found.hashes, [[1; 32], [2; 32]]);
    assert!(!found.is_whole);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let age = js_sys::Date::now() - found.since as f64;
    assert!(age.abs() < 60_000.0, "{age}");

    // It goes on where that one ended, whether it was found or asked for by name.
    let taken = Blocks::take_up(found).await.unwrap();
    taken.store(2, [3; 32], &bytes(b"three")).await.unwrap();
    taken.note_whole().await.unwrap();
    let hashes = left(name).await.unwrap().hashes;
    let again = Blocks::prepare(name, "not this", 100, hashes, 0).await.unwrap();
    assert_eq!(again.count(), 3);
    for (number, content) in [(0, "one"), (1, "two"), (2, "three")] {
        assert_eq!(read(&again.get(number).await.unwrap()).await, content.as_bytes());
    }
    let found = left(name).await.unwrap();
    assert!(found.is_whole);
    assert_eq!(found.meta, "what it is");

    // As one file, which is of no kind that a browser would show; the second time it is there already.
    for _ in 0..2 {
        let whole = again.joined(0..3).await.unwrap();
        assert_eq!(read(&whole).await, b"onetwothree");
        assert_eq!(blob::size(&again.joined(1..3).await.unwrap()), 8);
        assert_eq!(value::get(&whole, "type"), blob::ANY_BYTES);
    }
    assert!(again.joined(2..4).await.is_err(), "there is no fourth");
    assert_eq!(
        left(name).await.unwrap().hashes.len(),
        3,
        "nor does it count as a block"
    );

    blocks::forget(name).await.unwrap();
    assert_eq!(left(name).await, None);
    assert_eq!(again.get(0).await.unwrap_err().name, ErrorName::NotFound);
    assert!(
        again.store(3, [4; 32], &bytes(b"four")).await.is_err(),
        "it is gone"
    );
    assert_eq!(left(name).await, None, "and stays so");
}

#[wasm_bindgen_test]
async fn a_block_that_was_being_written_does_not_count() {
    let name = "torn";
    let stored = prepare(name).await;
    stored.store(0, [1; 32], &bytes(b"one")).await.unwrap();
    // What a page leaves that goes while it writes: a file of the right name without its bytes.
    stored.store(1, [2; 32], &bytes(b"")).await.unwrap();
    let mut found = left(name).await.unwrap();
    assert_eq!(found.hashes.len(), 2);
    found.drop_torn(|_| Some(3)).await;
    assert_eq!(found.hashes, [[1; 32]]);
    // The one before it is good, and the torn one is off the disk: another may take its place.
    found.drop_torn(|_| Some(3)).await;
    assert_eq!(found.hashes, [[1; 32]]);
    let taken = Blocks::take_up(found).await.unwrap();
    taken.store(1, [9; 32], &bytes(b"two")).await.unwrap();
    assert_eq!(left(name).await.unwrap().hashes, [[1; 32], [9; 32]]);
    blocks::forget(name).await.unwrap();
}

#[wasm_bindgen_test]
async fn blocks_are_stored_in_order_only() {
    for blocks in [prepare("in-order").await, Blocks::in_memory()] {
        assert!(blocks.store(1, [1; 32], &bytes(b"b")).await.is_err());
        blocks.store(0, [0; 32], &bytes(b"a")).await.unwrap();
        assert!(blocks.store(0, [0; 32], &bytes(b"a")).await.is_err());
        assert_eq!(blocks.count(), 1);
    }
    blocks::forget("in-order").await.unwrap();
}

#[wasm_bindgen_test]
async fn a_great_number_of_blocks_is_listed() {
    let name = "many";
    let stored = prepare(name).await;
    let count = 120;
    for number in 0..count {
        let hash = [u8::try_from(number).unwrap(); 32];
        stored.store(number, hash, &bytes(b"x")).await.unwrap();
    }
    let found = left(name).await.unwrap();
    assert_eq!(found.hashes.len(), count as usize);
    assert_eq!(found.hashes[100], [100; 32]);
    blocks::forget(name).await.unwrap();
}

#[wasm_bindgen_test]
async fn what_cannot_be_on_disk_is_held_in_memory() {
    let blocks = Blocks::in_memory();
    assert!(blocks.are_in_memory());
    blocks.store(0, [1; 32], &bytes(b"one")).await.unwrap();
    assert_eq!(read(&blocks.get(0).await.unwrap()).await, b"one");
    blocks.note_whole().await.unwrap();
    assert_eq!(blocks.get(1).await.unwrap_err().name, ErrorName::NotFound);

    // As in a private window of an older browser.
    let storage = value::get(&web_sys::window().unwrap().navigator(), "storage");
    let refuses = js_sys::Function::new_no_args("throw new DOMException('', 'SecurityError')");
    value::set(&storage, "getDirectory", &refuses);
    let small = Blocks::prepare("refused", "", 100, Vec::new(), 0).await;
    let large = Blocks::prepare("refused", "", TRANSFER_BYTES_IN_MEMORY + 1, Vec::new(), 0).await;
    let together = Blocks::prepare("refused", "", 100, Vec::new(), TRANSFER_BYTES_IN_MEMORY).await;
    js_sys::Reflect::delete_property(&storage.into(), &"getDirectory".into()).unwrap();
    assert!(small.unwrap().are_in_memory());
    assert!(large.is_err_and(|error| folder::is_full(&error)));
    assert!(together.is_err_and(|error| folder::is_full(&error)));
}

#[wasm_bindgen_test]
async fn more_than_there_is_room_for_is_refused_beforehand() {
    let room = folder::room_left().await.unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within 2^53"
    )]
    let more = room as u64 + 1;
    let refused = Blocks::prepare("too-large", "", more, Vec::new(), 0).await;
    assert!(refused.is_err_and(|error| folder::is_full(&error)));
    assert_eq!(left("too-large").await, None);
}

#[wasm_bindgen_test]
async fn the_digest_is_the_browsers() {
    let hash = sha256(&bytes(b"abc")).await.unwrap();
    assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(hash[31], 0xad);
}
