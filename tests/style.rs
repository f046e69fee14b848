//! The style sheets as text: rules that no browser would tell of.

use std::path::Path;

/// Properties that say left or right where a line's beginning or end is meant, so that a language that
/// runs the other way would have everything on the wrong side; and their kin for width and height.
const PHYSICAL: [&str; 14] = [
    "left",
    "right",
    "top",
    "bottom",
    "width",
    "height",
    "min-width",
    "max-width",
    "min-height",
    "max-height",
    "float",
    "clear",
    "border-left",
    "border-right",
];

/// Beginnings of such properties.
const PHYSICAL_SIDES: [&str; 4] = ["margin-", "padding-", "border-", "scroll-margin-"];

fn is_physical(property: &str) -> bool {
    let is_side = |end: &str| {
        ["left", "right", "top", "bottom"]
            .iter()
            .any(|side| end.starts_with(side))
    };
    PHYSICAL.contains(&property)
        || PHYSICAL_SIDES
            .iter()
            .any(|begin| property.strip_prefix(begin).is_some_and(is_side))
}

/// Declarations with the number of their line; comments and conditions are none.
fn declarations(css: &str) -> Vec<(usize, String, String)> {
    let mut plain = String::new();
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        plain.push_str(before);
        let (comment, after) = after.split_once("*/").expect("every comment ends");
        plain.extend(comment.matches('\n'));
        rest = after;
    }
    plain.push_str(rest);
    let mut found = Vec::new();
    for (number, line) in plain.lines().enumerate() {
        // One rule may stand on one line with its selector, whose colons belong to no declaration.
        let inside = line.rsplit_once('{').map_or(line, |(_, inside)| inside);
        for part in inside.split([';', '}']) {
            if let Some((property, text)) = part.split_once(':') {
                found.push((number + 1, property.trim().to_owned(), text.trim().to_owned()));
            }
        }
    }
    found
}

fn sheets() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("style");
    let mut sheets = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the project has a folder of style sheets") {
        let path = entry.expect("the folder can be read").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        sheets.push((
            name,
            std::fs::read_to_string(path).expect("a style sheet is text"),
        ));
    }
    assert!(sheets.len() > 10);
    sheets
}

#[test]
fn sides_are_those_of_the_text_not_of_the_screen() {
    for (sheet, css) in sheets() {
        for (line, property, text) in declarations(&css) {
            assert!(
                !is_physical(&property),
                "style/{sheet}:{line}: {property}: {text}"
            );
        }
    }
}

#[test]
fn every_movement_is_as_long_as_a_token_says() {
    for (sheet, css) in sheets() {
        for (line, property, text) in declarations(&css) {
            let is_still =
                property != "transition" || text.contains("var(--quick)") || text.contains("var(--move)");
            // Reduced motion takes the tokens away; a length of its own would stay.
            assert!(
                is_still && !(property == "transition" && text.contains("ms")),
                "style/{sheet}:{line}: {text}"
            );
        }
    }
}

#[test]
fn colours_and_times_have_names() {
    for (sheet, css) in sheets().into_iter().filter(|(sheet, _)| sheet != "tokens.css") {
        for (line, property, text) in declarations(&css) {
            // A face's tint is made of its own hue.
            let is_colour = text.contains("oklch(") && !text.contains("var(--hue");
            let is_time = (property == "animation" || property.ends_with("-duration"))
                && text.split(' ').any(|word| {
                    let number = word.strip_suffix("ms").or_else(|| word.strip_suffix('s'));
                    number.is_some_and(|number| number.parse::<f64>().is_ok())
                });
            assert!(!is_colour && !is_time, "style/{sheet}:{line}: {property}: {text}");
        }
    }
}

#[test]
fn every_sheet_is_in_the_page() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("index.html")).unwrap();
    for (sheet, _) in sheets() {
        assert!(page.contains(&format!("href=\"style/{sheet}\"")), "{sheet}");
    }
}

#[test]
fn the_rule_finds_what_it_looks_for() {
    let css =
        "/* left: 1px */\n.a { margin-left: 1px; }\n.b:hover {\n  inset-inline-start: 0;\n  left: 0;\n}";
    let physical: Vec<usize> = declarations(css)
        .into_iter()
        .filter(|(_, property, _)| is_physical(property))
        .map(|(line, ..)| line)
        .collect();
    assert_eq!(physical, [2, 5]);
}
