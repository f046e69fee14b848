//! Where a person is, as the address bar says it: the typed routes and the links to rooms.
//!
//! Pure text in, values out. It refuses to touch the browser: `runtime::navigation` reads and
//! writes the address bar.

use visavis_protocol::text::TextError;
use visavis_protocol::{Charter, ChatKey, Handle, RoomId, RoomSecret, room_name};

/// The path in front of a room's name.
const ROOM_PREFIX: &str = "/room/";

/// The path in front of a person's handle.
const PERSON_PREFIX: &str = "/contacts/";

/// What stands in a link between its secret and the id of the room's host.
const OPEN: char = '.';
/// The same where newcomers wait from the first second on.
const BEHIND_A_DOOR: char = '~';

/// The name of every room in which two people meet who call each other.
const CALL: &str = "call";

/// The name of every room in which an appointment takes place.
const APPOINTMENT: &str = "appointment";

/// A longer token no server takes.
const TOKEN_BYTES: usize = 2048;

/// A page of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Lobby,
    /// `/contacts`
    Contacts,
    /// `/contacts/<handle>`
    Contact(Handle),
    /// `/desk#<token>`
    Desk(LinkToken),
    /// `/join#<token>`
    Join(LinkToken),
    /// `/room/<name>#<secret>`
    Room(RoomLink),
    /// Starts as a link to a room and is none.
    BadRoomLink(LinkError),
    /// Any other path.
    NotFound,
}

/// What follows the `#` where a token is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkToken {
    /// Nothing.
    Absent,
    /// Something that is no token: a part of the link was lost or changed.
    Damaged,
    /// A token, as far as its shape tells.
    Whole(Token),
}

/// A token of a desk or of an appointment. Who has it is who it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Says nothing of it: who reads a log must not be able to use it.
impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Three parts with dots between them (RFC 7519).
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !part.is_empty() && part.bytes().all(is_plain)
        };
        let is_token = text.split('.').count() == 3 && text.split('.').all(is_part);
        (is_token && text.len() <= TOKEN_BYTES).then(|| Self(text.to_owned()))
    }

    /// As it stands in the link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LinkToken {
    fn parse(fragment: &str) -> Self {
        match fragment.strip_prefix('#').unwrap_or(fragment) {
            "" => Self::Absent,
            text => Token::read(text).map_or(Self::Damaged, Self::Whole),
        }
    }

    fn after(&self, path: &str) -> String {
        match self {
            Self::Absent | Self::Damaged => path.to_owned(),
            Self::Whole(token) => [path, "#", token.as_str()].concat(),
        }
    }
}

/// Why a text is not a link to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The path is not percent-encoded UTF-8, or has more parts than a name.
    #[error("the address is not well formed")]
    Malformed,
    /// The name breaks a rule of names.
    #[error("the room's name: {0}")]
    Name(TextError),
    /// What follows the `#` is not a room's secret: a part of the link was lost or changed.
    #[error("the part of the link after # is damaged")]
    Secret,
    /// A link to another site.
    #[error("the link leads to another site")]
    OtherSite,
}

/// A room as its link names it. The link is the key: who has it can enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLink {
    name: String,
    secret: Option<RoomSecret>,
    /// Whose the room is; only where there is a secret.
    charter: Option<Charter>,
}

impl RoomLink {
    /// A link of parts.
    ///
    /// # Errors
    /// If the name breaks a rule of [`room_name::check`]. It must be in normalization form C.
    pub fn new(name: String, secret: Option<RoomSecret>) -> Result<Self, LinkError> {
        room_name::check(&name).map_err(LinkError::Name)?;
        Ok(Self {
            name,
            secret,
            charter: None,
        })
    }

    /// A link of parts to a room with a host.
    ///
    /// # Errors
    /// As [`RoomLink::new`].
    pub fn hosted(name: String, secret: RoomSecret, charter: Charter) -> Result<Self, LinkError> {
        Ok(Self {
            charter: Some(charter),
            ..Self::new(name, Some(secret))?
        })
    }

    /// Whose the room is.
    #[must_use]
    pub const fn charter(&self) -> Option<Charter> {
        self.charter
    }

    /// The link of the same room by another secret.
    #[must_use]
    pub fn with_secret(&self, secret: RoomSecret) -> Self {
        Self {
            secret: Some(secret),
            ..self.clone()
        }
    }

    /// The room in which two people meet who call each other, as the caller's page tells the other one. Its
    /// name is always the same, so that nobody is shown one that somebody else thought of.
    ///
    /// # Errors
    /// If the secret is none.
    pub fn of_call(secret: &str) -> Result<Self, LinkError> {
        let secret = secret.parse().map_err(|_| LinkError::Secret)?;
        Self::new(CALL.to_owned(), Some(secret))
    }

    /// The room of an appointment. Its name is always the same, as that of a call.
    ///
    /// # Errors
    /// None in fact: the name is a good one.
    pub fn of_appointment(secret: RoomSecret, charter: Charter) -> Result<Self, LinkError> {
        Self::hosted(APPOINTMENT.to_owned(), secret, charter)
    }

    /// The room of an appointment as the other side tells it: the path and fragment of its link.
    ///
    /// # Errors
    /// If it is no link to a room that only they know.
    pub fn from_path(text: &str, normalize: impl Fn(&str) -> String) -> Result<Self, LinkError> {
        let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
        match Route::parse(path, fragment, normalize) {
            Route::Room(link) if link.has_secret() => Ok(link),
            Route::BadRoomLink(error) => Err(error),
            Route::Room(_)
            | Route::Lobby
            | Route::Contacts
            | Route::Contact(_)
            | Route::Desk(_)
            | Route::Join(_)
            | Route::NotFound => Err(LinkError::Malformed),
        }
    }

    /// The secret, if the link has one.
    #[must_use]
    pub const fn secret(&self) -> Option<RoomSecret> {
        self.secret
    }

    /// The secret as it stands in the link.
    #[must_use]
    pub fn secret_text(&self) -> Option<String> {
        self.secret.as_ref().map(RoomSecret::to_text)
    }

    /// The name, for people to read.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the link has a secret: without one the room is open to whoever knows its name.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The room as the server knows it. An open room is the same however its name is spelled:
    /// `fold` gives the lower case.
    #[must_use]
    pub fn room_id(&self, fold: impl Fn(&str) -> String) -> RoomId {
        match (&self.secret, self.charter) {
            (Some(secret), Some(charter)) => RoomId::derive_hosted(&self.name, secret, charter),
            (Some(secret), None) => RoomId::derive(&self.name, Some(secret)),
            (None, _) => RoomId::derive(&fold(&self.name), None),
        }
    }

    /// The key of its chat; none where the room is open to whoever knows its name.
    #[must_use]
    pub fn chat_key(&self, fold: impl Fn(&str) -> String) -> Option<ChatKey> {
        let secret = self.secret.as_ref()?;
        Some(secret.chat_key(&self.room_id(fold)))
    }

    /// The address without the site: `/room/<name>#<secret>`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::from(ROOM_PREFIX);
        encode_into(&mut path, &self.name);
        if let Some(secret) = &self.secret {
            path.push('#');
            path.push_str(&secret.to_text());
        }
        if let Some(charter) = self.charter {
            path.push(if charter.waiting_room { BEHIND_A_DOOR } else { OPEN });
            path.push_str(&charter.host.to_text());
        }
        path
    }

    /// The whole address, to be given to others. `origin` as in `location.origin`.
    #[must_use]
    pub fn url(&self, origin: &str) -> String {
        let mut url = String::from(origin);
        url.push_str(&self.path());
        url
    }

    /// Reads what a person typed or pasted where a room is asked for: a name, a path, or a whole
    /// link of this site.
    ///
    /// # Errors
    /// Says what is wrong with it, in the order in which a person would repair it.
    pub fn from_input(
        text: &str,
        origin: &str,
        normalize: impl Fn(&str) -> String,
    ) -> Result<Self, LinkError> {
        let text = text.trim();
        let local = text.strip_prefix(origin).unwrap_or(text);
        if let Some(path) = local.split('#').next()
            && path.starts_with(ROOM_PREFIX)
        {
            let fragment = local.split_once('#').map_or("", |(_, fragment)| fragment);
            return match Route::parse(path, fragment, normalize) {
                Route::Room(link) => Ok(link),
                Route::BadRoomLink(error) => Err(error),
                Route::Lobby
                | Route::Contacts
                | Route::Contact(_)
                | Route::Desk(_)
                | Route::Join(_)
                | Route::NotFound => Err(LinkError::Malformed),
            };
        }
        if text.contains("://") {
            return Err(LinkError::OtherSite);
        }
        Self::new(normalize(text), None)
    }
}

impl Route {
    /// Reads `location.pathname` and `location.hash` (with or without its `#`).
    ///
    /// `normalize` brings text into normalization form C, for which the browser has the tables.
    #[must_use]
    pub fn parse(path: &str, fragment: &str, normalize: impl Fn(&str) -> String) -> Self {
        match path {
            "/" | "/index.html" => return Self::Lobby,
            "/contacts" | "/contacts/" => return Self::Contacts,
            "/desk" | "/desk/" => return Self::Desk(LinkToken::parse(fragment)),
            "/join" | "/join/" => return Self::Join(LinkToken::parse(fragment)),
            _ => {}
        }
        if let Some(handle) = path.strip_prefix(PERSON_PREFIX) {
            return Handle::read(handle).map_or(Self::NotFound, Self::Contact);
        }
        let Some(encoded) = path.strip_prefix(ROOM_PREFIX) else {
            return Self::NotFound;
        };
        let encoded = encoded.strip_suffix('/').unwrap_or(encoded);
        match parse_room(encoded, fragment, normalize) {
            Ok(link) => Self::Room(link),
            Err(error) => Self::BadRoomLink(error),
        }
    }

    /// The address of this route without the site.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Lobby | Self::BadRoomLink(_) | Self::NotFound => String::from("/"),
            Self::Contacts => String::from("/contacts"),
            Self::Contact(handle) => [PERSON_PREFIX, handle.as_str()].concat(),
            Self::Desk(token) => token.after("/desk"),
            Self::Join(token) => token.after("/join"),
            Self::Room(link) => link.path(),
        }
    }
}

fn parse_room(
    encoded: &str,
    fragment: &str,
    normalize: impl Fn(&str) -> String,
) -> Result<RoomLink, LinkError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let (secret, charter) = match fragment {
        "" => (None, None),
        text => {
            let (secret, charter) = parse_secret(text).ok_or(LinkError::Secret)?;
            (Some(secret), charter)
        }
    };
    if encoded.contains('/') {
        return Err(LinkError::Malformed);
    }
    let name = decode(encoded).ok_or(LinkError::Malformed)?;
    let link = RoomLink::new(normalize(&name), secret)?;
    Ok(RoomLink { charter, ..link })
}

/// A room's secret, and whose it is where that follows.
fn parse_secret(text: &str) -> Option<(RoomSecret, Option<Charter>)> {
    let Some(at) = text.find([OPEN, BEHIND_A_DOOR]) else {
        return Some((text.parse().ok()?, None));
    };
    let (secret, rest) = text.split_at(at);
    let waiting_room = rest.starts_with(BEHIND_A_DOOR);
    let host = rest.get(1..)?.parse().ok()?;
    let charter = Charter { host, waiting_room };
    Some((secret.parse().ok()?, Some(charter)))
}

/// Percent-encodes all but the unreserved characters of RFC 3986, so that the path survives any
/// program that a link is pasted into.
pub fn encode_into(path: &mut String, name: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push(char::from(HEX[usize::from(byte >> 4)]));
            path.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let high = char::from(digits[0]).to_digit(16)?;
        let low = char::from(digits[1]).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn parse(path: &str, fragment: &str) -> Route {
        Route::parse(path, fragment, str::to_owned)
    }

    #[test]
    fn a_room_link_survives_its_address() {
        for name in ["quiet-otter-42", "tea time", "李小龍", "a+b&c=d", "Zoë"] {
            for secret in [None, Some(SECRET.parse().unwrap())] {
                let link = RoomLink::new(name.into(), secret).unwrap();
                let path = link.path();
                let (path, fragment) = path.split_once('#').unwrap_or((&path, ""));
                assert!(path.is_ascii());
                assert_eq!(parse(path, fragment), Route::Room(link));
            }
        }
    }

    #[test]
    fn a_link_says_whose_the_room_is_and_whether_one_waits() {
        let host = visavis_protocol::HostSecret::from_bytes([7; 16]).host_id();
        for waiting_room in [false, true] {
            let charter = Charter { host, waiting_room };
            let link = RoomLink::hosted("tea".into(), SECRET.parse().unwrap(), charter).unwrap();
            let path = link.path();
            let (path, fragment) = path.split_once('#').unwrap();
            assert_eq!(parse(path, fragment), Route::Room(link.clone()));
            assert_eq!(link.room_id(str::to_owned).charter(), Some(charter));
            assert_ne!(link, link.with_secret(RoomSecret::from_bytes([9; 16])));
            for damaged in [
                &fragment[..30],
                &[fragment, "A"].concat(),
                &fragment.replace('.', ".."),
            ] {
                if damaged != fragment {
                    assert_eq!(parse(path, damaged), Route::BadRoomLink(LinkError::Secret));
                }
            }
        }
    }

    #[test]
    fn a_person_s_page_has_an_address_of_its_own() {
        let ada: Handle = "ada".parse().unwrap();
        assert_eq!(parse("/contacts/ada", ""), Route::Contact(ada.clone()));
        assert_eq!(parse("/contacts/Ada", ""), Route::Contact(ada.clone()));
        assert_eq!(Route::Contact(ada).path(), "/contacts/ada");
        for path in [
            "/contacts/a",
            "/contacts/ada/x",
            "/contacts/%61da",
            "/contacts/\u{430}da",
        ] {
            assert_eq!(parse(path, ""), Route::NotFound, "{path}");
        }
        assert_eq!(parse("/contacts/", ""), Route::Contacts);
    }

    #[test]
    fn a_token_survives_its_address_and_shows_in_no_debug_output() {
        let token = "eyJ0.eyJz-dWIi_Q.c2ln";
        let route = parse("/join", &["#", token].concat());
        assert_eq!(route, Route::Join(LinkToken::Whole(Token::read(token).unwrap())));
        assert_eq!(route.path(), ["/join#", token].concat());
        assert!(!format!("{route:?}").contains("eyJ"));
        assert_eq!(parse("/desk", ""), Route::Desk(LinkToken::Absent));
        let long = ["a.b.", &"c".repeat(3000)].concat();
        for fragment in ["#a.b", "#a..c", "#a.b.c.d", "#a.b.<script>", &long] {
            assert_eq!(
                parse("/desk", fragment),
                Route::Desk(LinkToken::Damaged),
                "{fragment}"
            );
        }
    }

    #[test]
    fn an_appointment_is_in_a_room_that_only_its_two_know() {
        let host = visavis_protocol::HostSecret::from_bytes([9; 16]).host_id();
        let charter = Charter {
            host,
            waiting_room: false,
        };
        let link = RoomLink::of_appointment(SECRET.parse().unwrap(), charter).unwrap();
        assert_eq!(RoomLink::from_path(&link.path(), str::to_owned), Ok(link));
        for path in ["/room/tea", "/contacts", "https://elsewhere.example/room/a#b", ""] {
            assert!(RoomLink::from_path(path, str::to_owned).is_err(), "{path}");
        }
    }

    #[test]
    fn two_who_call_each_other_meet_in_one_room() {
        let link = RoomLink::of_call(SECRET).unwrap();
        assert_eq!(link.secret_text().as_deref(), Some(SECRET));
        for invite in ["", "abc", "../../x#y", &"A".repeat(1000)] {
            assert_eq!(RoomLink::of_call(invite), Err(LinkError::Secret));
        }
    }

    #[test]
    fn a_damaged_fragment_is_said_and_never_taken_for_an_open_room() {
        let megabyte = "A".repeat(1024 * 1024);
        for fragment in [
            "#abc",
            "<script>alert(1)</script>",
            &megabyte,
            "#AAECAwQFBgcICQoLDA0OD%",
        ] {
            assert_eq!(
                parse("/room/tea", fragment),
                Route::BadRoomLink(LinkError::Secret)
            );
        }
    }

    #[test]
    fn a_damaged_path_is_said() {
        for path in ["/room/%", "/room/%f", "/room/%ff", "/room/%zz", "/room/a/b"] {
            assert_eq!(
                parse(path, ""),
                Route::BadRoomLink(LinkError::Malformed),
                "{path}"
            );
        }
        for path in [
            "/room/",
            "/room/%2e%2e",
            "/room/a%2fb",
            "/room/%00",
            "/room/%E2%80%AEx",
        ] {
            assert!(
                matches!(parse(path, ""), Route::BadRoomLink(LinkError::Name(_))),
                "{path}"
            );
        }
        assert_eq!(parse("/nowhere", ""), Route::NotFound);
        assert_eq!(parse("/", "#x"), Route::Lobby);
    }

    #[test]
    fn a_room_can_be_typed_or_pasted() {
        let origin = "https://visavis.example";
        let input = |text: &str| RoomLink::from_input(text, origin, str::to_owned);
        let open = RoomLink::new("tea time".into(), None).unwrap();
        let locked = RoomLink::new("tea".into(), Some(SECRET.parse().unwrap())).unwrap();
        assert_eq!(input("  tea time "), Ok(open));
        assert_eq!(input(&locked.url(origin)), Ok(locked.clone()));
        assert_eq!(input(&locked.path()), Ok(locked));
        assert_eq!(
            input("https://elsewhere.example/room/tea"),
            Err(LinkError::OtherSite)
        );
        assert_eq!(input(""), Err(LinkError::Name(TextError::Empty)));
    }

    #[test]
    fn spellings_of_an_open_room_are_one_room() {
        let room = |name: &str, secret: Option<&str>| {
            let secret = secret.map(|secret| secret.parse().unwrap());
            let link = RoomLink::new(name.into(), secret).unwrap();
            link.room_id(str::to_lowercase)
        };
        assert_eq!(room("Tea", None), room("tea", None));
        assert_ne!(room("Tea", Some(SECRET)), room("tea", Some(SECRET)));
    }

    #[test]
    fn a_link_does_not_show_its_secret_in_debug_output() {
        let link = RoomLink::new("tea".into(), Some(SECRET.parse().unwrap())).unwrap();
        assert!(!format!("{link:?}").contains(SECRET));
    }
}
