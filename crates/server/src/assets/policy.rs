//! The page's Content-Security-Policy, computed from the page itself.
//!
//! Inline scripts are allowed by the hash of what they say, so that the built page needs no nonce
//! and can be cached; `'wasm-unsafe-eval'` lets WebAssembly run and nothing else. No
//! `'strict-dynamic'`: with it, WebAssembly does not start in Safari (F25).

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::config::Origin;

/// The policy of one page, but for the WebSocket addresses, which depend on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePolicy {
    scripts: String,
    styles: String,
}

impl PagePolicy {
    /// Reads a page for its inline scripts and styles.
    #[must_use]
    pub fn of(page: &str) -> Self {
        Self {
            scripts: hashes(page, "script"),
            styles: hashes(page, "style"),
        }
    }

    /// The header for a page that is reached at these origins.
    ///
    /// `'self'` covers WebSockets of the same origin in today's browsers; older ones of Apple
    /// want them by name.
    #[must_use]
    pub fn header(&self, origins: &[Origin]) -> String {
        let sockets: String = origins
            .iter()
            .map(|origin| format!(" {}", origin.websocket()))
            .collect();
        let Self { scripts, styles } = self;
        format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; \
             img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; \
             connect-src 'self'{sockets}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        )
    }
}

/// The sources that allow what stands between the tags of this name, each with a space before it.
fn hashes(page: &str, tag: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let open = format!("<{tag}");
    let close = format!("</{tag}");
    let mut sources = String::new();
    let mut at = 0;
    while let Some(found) = lower[at..].find(&open) {
        let start = at + found + open.len();
        let Some(head) = lower[start..].find('>') else {
            break;
        };
        let body = start + head + 1;
        let attributes = &lower[start..start + head];
        at = body;
        // `<scripture>` is another element; a script with a source has no body that counts.
        if !attributes.is_empty() && !attributes.starts_with(|c: char| c.is_ascii_whitespace()) {
            continue;
        }
        let Some(length) = lower[body..].find(&close) else {
            break;
        };
        at = body + length;
        let external = attributes
            .split_ascii_whitespace()
            .any(|attribute| attribute == "src" || attribute.starts_with("src="));
        if !external && length > 0 {
            let digest = Base64::encode_string(&Sha256::digest(&page[body..body + length]));
            let source = format!(" 'sha256-{digest}'");
            if !sources.contains(&source) {
                sources.push_str(&source);
            }
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_what_they_say() {
        let page = "<html><SCRIPT type=module>alert('Hello, world.');</SCRIPT>\
                    <script src=\"/a.js\"></script><script defer src='b.js'>ignored</script>\
                    <scripture>x</scripture><style>p{}</style>";
        let policy = PagePolicy::of(page).header(&[]);
        // The example of Content Security Policy Level 3, section 6.7.2.2 (RFC 3986's own vector).
        assert!(
            policy.contains("'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"),
            "{policy}"
        );
        assert_eq!(policy.matches("sha256-").count(), 2, "{policy}");
        assert!(policy.contains("style-src 'self' 'sha256-"));
        assert!(!policy.contains("unsafe-inline"));
        assert!(!policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn sockets_are_allowed_at_the_page_s_own_origin_only() {
        let origin = "https://meet.example".parse().unwrap();
        let policy = PagePolicy::of("").header(&[origin]);
        assert!(
            policy.contains("connect-src 'self' wss://meet.example;"),
            "{policy}"
        );
    }

    #[test]
    fn a_page_cut_short_harms_nothing() {
        for page in [
            "<script",
            "<script>",
            "<script>x",
            "<script src",
            "<style></style",
            "é<script>é</script>",
        ] {
            let _ = PagePolicy::of(page);
        }
    }
}
