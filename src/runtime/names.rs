//! Names for new rooms: easy to read aloud and to tell apart. They hide nothing: what keeps
//! strangers out is the secret beside them.

use visavis_protocol::{Charter, RoomSecret};

use crate::route::RoomLink;
use crate::web::random;

const MOODS: [&str; 32] = [
    "amber", "bold", "brave", "bright", "calm", "clear", "cosy", "dear", "early", "fair", "fond", "fresh",
    "gentle", "glad", "golden", "happy", "kind", "light", "lively", "lucky", "merry", "mild", "neat",
    "patient", "quick", "quiet", "ready", "silver", "sunny", "sweet", "warm", "wise",
];

const ANIMALS: [&str; 32] = [
    "badger", "beaver", "crane", "deer", "dolphin", "dove", "falcon", "finch", "fox", "gull", "hare",
    "hedgehog", "heron", "ibis", "jay", "koala", "lark", "lynx", "magpie", "marten", "mole", "otter", "owl",
    "panda", "puffin", "robin", "seal", "sparrow", "stork", "swift", "whale", "wren",
];

/// A room that nobody can guess: a readable name and 128 random bits.
pub(super) fn new_room(charter: Charter) -> RoomLink {
    let dice: [u8; 3] = random::bytes().expect("every browser that runs this has a cryptographic generator");
    RoomLink::hosted(name(dice), new_secret(), charter).expect("the words above are valid names")
}

/// A secret that nobody can guess.
pub(super) fn new_secret() -> RoomSecret {
    RoomSecret::from_bytes(
        random::bytes().expect("every browser that runs this has a cryptographic generator"),
    )
}

fn name([mood, animal, number]: [u8; 3]) -> String {
    let mut name = String::from(MOODS[usize::from(mood) % MOODS.len()]);
    name.push('-');
    name.push_str(ANIMALS[usize::from(animal) % ANIMALS.len()]);
    name.push('-');
    name.push_str(&(10 + number % 90).to_string());
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_protocol::room_name;

    #[test]
    fn every_word_makes_a_valid_name() {
        for n in 0..=u8::MAX {
            assert_eq!(room_name::check(&name([n, n, n])), Ok(()));
        }
        assert_eq!(name([25, 21, 32]), "quiet-otter-42");
    }
}
