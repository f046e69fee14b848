//! Names of rooms as they stand in a link's path.

use crate::limits;
use crate::text::{self, TextError};

/// Checks a room's name: a [name](text::check_name) without the characters that have a meaning of
/// their own in a path.
///
/// # Errors
/// Says which rule was broken.
pub fn check(name: &str) -> Result<(), TextError> {
    if name.chars().count() > limits::ROOM_NAME_CHARS {
        return Err(TextError::TooLong);
    }
    text::check_name(name)?;
    if name.contains(['/', '\\', '?', '#', '%']) || name == "." || name == ".." {
        return Err(TextError::Forbidden);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        for name in ["a/b", "..", ".", "a?b", "a#b", "a%2fb", "a\\b"] {
            assert_eq!(check(name), Err(TextError::Forbidden), "{name}");
        }
        assert_eq!(check("quiet-otter-42"), Ok(()));
        assert_eq!(check("tea time"), Ok(()));
    }
}
