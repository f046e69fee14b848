//! The browser's own key: one for the site, kept, and good for signatures that verify.

use js_sys::{Array, Uint8Array};
use visavis::web::identity::Identity;
use visavis::web::task::settled;
use visavis::web::value;
use wasm_bindgen_test::wasm_bindgen_test;

/// Whether the browser itself takes a signature for one by that key.
async fn is_signed(identity: &Identity, text: &[u8], signature: &[u8]) -> bool {
    let subtle = value::get(&value::get(&js_sys::global(), "crypto"), "subtle");
    let named = |pairs: &[(&str, wasm_bindgen::JsValue)]| value::dictionary(pairs);
    let curve = named(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())]);
    let raw = Uint8Array::from(&identity.public.0[..]);
    let uses = Array::of1(&"verify".into());
    let key = settled(value::call(
        &subtle,
        "importKey",
        &[&"raw".into(), &raw, &curve, &true.into(), &uses],
    ))
    .await
    .unwrap();
    let how = named(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())]);
    let (signature, text) = (Uint8Array::from(signature), Uint8Array::from(text));
    let verified = value::call(&subtle, "verify", &[&how, &key, &signature, &text]);
    settled(verified).await.unwrap().is_truthy()
}

#[wasm_bindgen_test]
async fn there_is_one_key_and_what_it_signs_verifies() {
    let first = Identity::find_or_make().await.unwrap();
    let again = Identity::find_or_make().await.unwrap();
    assert_eq!(first.public, again.public, "it is kept");
    assert_eq!(first.public.0[0], 4, "an uncompressed point");
    let signature = again.sign(b"tea").await.unwrap();
    assert!(is_signed(&first, b"tea", &signature.0).await);
    assert!(!is_signed(&first, b"sea", &signature.0).await);
}
