//! Randomness that nobody can guess.

use super::{Error, window};

/// Fills an array from the browser's cryptographic generator.
///
/// # Errors
/// If the browser has none. There is no fallback: a guessable secret is worse than none.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    window()
        .crypto()
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes))
        .map_err(Error::from)?;
    Ok(bytes)
}
