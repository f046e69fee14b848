//! Times as the fields of a form have them.

use visavis::web::day;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn what_the_fields_say_is_the_time_that_they_were_filled_with() {
    let noon = day::of_fields("2026-11-23", "12:00").unwrap();
    assert_eq!(day::fields(noon), ("2026-11-23".to_owned(), "12:00".to_owned()));
    assert_eq!(day::of_fields("2026-11-23", "12:30"), Some(noon + 30 * 60 * 1000));
}

#[wasm_bindgen_test]
fn a_year_that_is_still_being_typed_is_none() {
    for day in [
        "0026-11-23",
        "0002-11-23",
        "0202-11-23",
        "1969-06-01",
        "999999-11-23",
        "",
    ] {
        assert_eq!(day::of_fields(day, "12:00"), None, "{day}");
    }
    assert_eq!(day::of_fields("2026-11-23", ""), None);
}
