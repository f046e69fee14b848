//! What two lists of devices tell about each other: what came, what went, and whether the system's
//! choice is another one now.
//!
//! Pure: browsers say only that the list changed. Until the page may use a kind they list none of it by
//! an id, so an empty list says nothing of what is plugged in.

use crate::event::{CaptureKind, Device};

/// Id by which Chromium lists the system's choice of microphone once more.
const DEFAULT: &str = "default";
/// Every id that stands for a choice of the system and for no device of its own.
const ALIASES: [&str; 2] = [DEFAULT, "communications"];

/// Those of a kind; `None` for speakers.
fn of_kind(list: &[Device], kind: impl Into<Option<CaptureKind>>) -> impl Iterator<Item = &Device> {
    let kind = kind.into();
    list.iter().filter(move |device| device.kind == kind)
}

/// Whether a device of a kind is listed; `None` for speakers.
pub(crate) fn has(list: &[Device], kind: impl Into<Option<CaptureKind>>, id: &str) -> bool {
    of_kind(list, kind).any(|device| device.id == id)
}

/// Whether this device was listed and is no longer.
pub(crate) fn is_gone(before: &[Device], after: &[Device], kind: CaptureKind, id: &str) -> bool {
    has(before, kind, id) && !has(after, kind, id)
}

/// Whether this device was not listed and is now.
pub(crate) fn has_come(before: &[Device], after: &[Device], kind: CaptureKind, id: &str) -> bool {
    !has(before, kind, id) && has(after, kind, id)
}

/// Whether any device of a kind has come.
pub(crate) fn has_any_come(before: &[Device], after: &[Device], kind: CaptureKind) -> bool {
    of_kind(after, kind).any(|device| !has(before, kind, &device.id))
}

/// Whether the system's choice is another device now.
///
/// Only microphones have one: Chromium lists it under an id of its own, whose group and label follow;
/// other browsers list it first. A camera that comes is not to be looked through without being asked.
pub(crate) fn is_default_another(before: &[Device], after: &[Device], kind: CaptureKind) -> bool {
    if kind != CaptureKind::Microphone {
        return false;
    }
    let alias = |list| of_kind(list, kind).find(|device| device.id == DEFAULT);
    match (alias(before), alias(after)) {
        (Some(before), Some(after)) => {
            // Without a permission both are empty, and then filled: that is no change.
            !before.label.is_empty()
                && !after.label.is_empty()
                && (&before.group, &before.label) != (&after.group, &after.label)
        }
        (None, None) => {
            let first = |list| of_kind(list, kind).next().map(|device| &device.id);
            matches!((first(before), first(after)), (Some(before), Some(after)) if before != after)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The device that is the system's choice, where the list tells which that is: see
/// [`is_default_another`]. Chromium's own id for it if nothing else is to be found out.
pub(crate) fn default(list: &[Device], kind: CaptureKind) -> Option<&str> {
    let all = || of_kind(list, kind).filter(|device| !ALIASES.contains(&device.id.as_str()));
    let Some(alias) = of_kind(list, kind).find(|device| device.id == DEFAULT) else {
        return all().next().map(|device| device.id.as_str());
    };
    let is_of_group = |device: &&Device| !alias.group.is_empty() && device.group == alias.group;
    // It reads "Default - " and the device's own.
    let is_called_so = |device: &&Device| !device.label.is_empty() && alias.label.ends_with(&device.label);
    let device = all()
        .filter(is_of_group)
        .find(is_called_so)
        .or_else(|| all().find(is_of_group))
        .or_else(|| all().find(is_called_so))
        .unwrap_or(alias);
    Some(device.id.as_str())
}

/// The device after this one, the first after the last one. `None` if there is no other.
pub(crate) fn next<'a>(list: &'a [Device], kind: CaptureKind, id: &str) -> Option<&'a str> {
    let all = || of_kind(list, kind).filter(|device| !ALIASES.contains(&device.id.as_str()));
    let after = all().skip_while(|device| device.id != id).nth(1);
    let next = after.or_else(|| all().next())?;
    (next.id != id).then_some(next.id.as_str())
}

/// What a device is called; empty if the browser does not tell.
pub(crate) fn label<'a>(list: &'a [Device], kind: impl Into<Option<CaptureKind>>, id: &str) -> &'a str {
    of_kind(list, kind)
        .find(|device| device.id == id)
        .map_or("", |device| device.label.as_str())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    const MICROPHONE: CaptureKind = CaptureKind::Microphone;
    const CAMERA: CaptureKind = CaptureKind::Camera;

    fn list(kind: CaptureKind, devices: &[(&str, &str)]) -> Vec<Device> {
        devices
            .iter()
            .map(|(id, label)| Device {
                id: id.to_string(),
                label: label.to_string(),
                group: label.to_string(),
                kind: Some(kind),
            })
            .collect()
    }

    #[test]
    fn another_default_shows_in_chromium_by_its_label() {
        let before = list(MICROPHONE, &[("default", "Default - A"), ("a", "A"), ("b", "B")]);
        let after = list(MICROPHONE, &[("default", "Default - B"), ("a", "A"), ("b", "B")]);
        assert!(is_default_another(&before, &after, MICROPHONE));
        assert!(!is_default_another(&before, &before, MICROPHONE));
        let unnamed = list(MICROPHONE, &[("default", "")]);
        assert!(
            !is_default_another(&unnamed, &after, MICROPHONE),
            "a permission is no other device"
        );
        assert!(!is_default_another(&[], &after, MICROPHONE));
    }

    #[test]
    fn another_default_shows_elsewhere_by_the_order() {
        let before = list(MICROPHONE, &[("a", "A"), ("b", "B")]);
        let after = list(MICROPHONE, &[("b", "B"), ("a", "A")]);
        assert!(is_default_another(&before, &after, MICROPHONE));
        let more = list(MICROPHONE, &[("a", "A"), ("b", "B"), ("c", "C")]);
        assert!(!is_default_another(&before, &more, MICROPHONE));
        let [before, after] = [["a", "b"], ["b", "a"]].map(|ids| list(CAMERA, &ids.map(|id| (id, id))));
        assert!(
            !is_default_another(&before, &after, CAMERA),
            "there is no default camera"
        );
    }

    #[test]
    fn the_systems_choice_is_found_by_group_and_label() {
        let grouped = |devices: &[(&str, &str, &str)]| -> Vec<Device> {
            let mut all = list(MICROPHONE, &[]);
            for (id, label, group) in devices {
                all.extend(list(MICROPHONE, &[(*id, *label)]));
                if let Some(device) = all.last_mut() {
                    device.group = group.to_string();
                }
            }
            all
        };
        let alias = ("default", "Default - B", "2");
        for (devices, found) in [
            (&[alias, ("a", "B", "1"), ("b", "B", "2")][..], Some("b")),
            (&[alias, ("a", "Line in", "2"), ("b", "B", "2")], Some("b")),
            (&[alias, ("communications", "B", "2"), ("b", "", "2")], Some("b")),
            (&[alias, ("a", "", ""), ("b", "B", "")], Some("b")),
            (&[alias, ("a", "", "1"), ("b", "C", "3")], Some("default")),
            (&[("a", "A", ""), ("b", "B", "")], Some("a")),
            (&[], None),
        ] {
            assert_eq!(default(&grouped(devices), MICROPHONE), found, "{devices:?}");
        }
    }

    #[test]
    fn what_came_and_went_is_told_by_kind() {
        let before = list(CAMERA, &[("a", "A"), ("b", "B")]);
        let after = list(CAMERA, &[("b", "B"), ("c", "C")]);
        assert!(is_gone(&before, &after, CAMERA, "a") && !is_gone(&before, &after, CAMERA, "b"));
        assert!(!is_gone(&before, &after, MICROPHONE, "a"));
        assert!(has_come(&before, &after, CAMERA, "c") && !has_come(&before, &after, CAMERA, "b"));
        assert!(has_any_come(&before, &after, CAMERA) && !has_any_come(&before, &before, CAMERA));
    }

    #[test]
    fn the_next_device_goes_round() {
        let three = list(CAMERA, &[("a", "A"), ("b", "B"), ("c", "C")]);
        assert_eq!(next(&three, CAMERA, "a"), Some("b"));
        assert_eq!(next(&three, CAMERA, "c"), Some("a"));
        assert_eq!(next(&three, CAMERA, "unknown"), Some("a"));
        assert_eq!(next(&three[..1], CAMERA, "a"), None);
        assert_eq!(next(&[], CAMERA, "a"), None);
        assert_eq!(label(&three, CAMERA, "b"), "B");
    }
}
