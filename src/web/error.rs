//! Failures of the browser, as values.

use core::fmt;

use wasm_bindgen::JsValue;

/// What a `DOMException` or an `Error` says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct Error {
    /// What kind of failure: decides what to do.
    pub name: ErrorName,
    /// The browser's words, for logs only.
    pub message: String,
}

/// The `name` of a failure (Web IDL, section 2.8.1), where it decides anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorName {
    /// `AbortError`
    Abort,
    /// `InvalidStateError`
    InvalidState,
    /// `NotAllowedError`
    NotAllowed,
    /// `NotFoundError`
    NotFound,
    /// `NotReadableError`
    NotReadable,
    /// `NotSupportedError`, or the browser lacks the capability altogether.
    NotSupported,
    /// `OverconstrainedError`
    Overconstrained,
    /// `SecurityError`
    Security,
    /// Any other, as it was.
    Other(String),
}

impl ErrorName {
    /// The standard's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Abort => "AbortError",
            Self::InvalidState => "InvalidStateError",
            Self::NotAllowed => "NotAllowedError",
            Self::NotFound => "NotFoundError",
            Self::NotReadable => "NotReadableError",
            Self::NotSupported => "NotSupportedError",
            Self::Overconstrained => "OverconstrainedError",
            Self::Security => "SecurityError",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for ErrorName {
    fn from(name: &str) -> Self {
        match name {
            "AbortError" => Self::Abort,
            "InvalidStateError" => Self::InvalidState,
            "NotAllowedError" => Self::NotAllowed,
            "NotFoundError" => Self::NotFound,
            "NotReadableError" => Self::NotReadable,
            "NotSupportedError" => Self::NotSupported,
            "OverconstrainedError" => Self::Overconstrained,
            "SecurityError" => Self::Security,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// The browser lacks something.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self {
            name: ErrorName::NotSupported,
            message: what.to_owned(),
        }
    }
}

impl From<JsValue> for Error {
    /// Takes whatever was thrown: usually an exception with a name, but a page's extension may
    /// throw a bare string.
    fn from(thrown: JsValue) -> Self {
        let text = |key| super::value::get(&thrown, key).as_string();
        let name = text("name");
        Self {
            name: ErrorName::from(name.as_deref().unwrap_or("Error")),
            message: text("message").or_else(|| thrown.as_string()).unwrap_or_default(),
        }
    }
}
