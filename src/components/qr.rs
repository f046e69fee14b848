//! A text as a QR code.

use qrcodegen::{QrCode, QrCodeEcc};

use super::dom::{El, svg};

/// Empty modules around the code, as ISO/IEC 18004 wants them.
const QUIET_ZONE: i32 = 4;

/// A QR code, drawn as one path. Nothing for a text that is too long for any code.
pub fn qr_code(text: &str, name: &str) -> Option<El> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = (code.size() + 2 * QUIET_ZONE).to_string();
    let picture = svg("svg")
        .attr("class", "qr")
        .attr("role", "img")
        .attr("aria-label", name)
        .attr("viewBox", &["0 0", &side, &side].join(" "))
        .child(svg("path").attr("d", &outline(&code)));
    Some(picture)
}

/// One bar for each run of dark modules in a row.
fn outline(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                push_bar(&mut path, start + QUIET_ZONE, y + QUIET_ZONE, x - start);
            }
            x += 1;
        }
    }
    path
}

fn push_bar(path: &mut String, x: i32, y: i32, length: i32) {
    let (x, y, length) = (x.to_string(), y.to_string(), length.to_string());
    for part in ["M", &x, " ", &y, "h", &length, "v1h-", &length, "z"] {
        path.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_covers_exactly_the_dark_modules() {
        let text = "https://visavis.example/room/tea#AAECAwQFBgcICQoLDA0ODw";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size())
            .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
            .filter(|&(x, y)| code.get_module(x, y))
            .count();
        let drawn: usize = outline(&code)
            .split('h')
            .skip(1)
            .filter_map(|part| part.split_once('v'))
            .map(|(length, _)| length.parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
        // A finder pattern begins in the first corner.
        assert!(outline(&code).starts_with("M4 4h7v1h-7z"));
    }
}
