//! The list of cameras, microphones and speakers.

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDeviceInfo, MediaDeviceKind};

use super::capture::media_devices;
use super::{Error, Listener};

/// What a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// `"audioinput"`
    Microphone,
    /// `"videoinput"`
    Camera,
    /// `"audiooutput"`
    Speaker,
}

/// A device, as far as the browser tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What it does.
    pub kind: DeviceKind,
    /// `deviceId`
    pub id: String,
    /// `label`; empty until the person has given a permission.
    pub label: String,
    /// `groupId`: devices of one group are parts of one thing.
    pub group: String,
}

/// Asks for the devices. Before a permission was given a browser tells only that there is one of
/// a kind, without an id; those are left out, for there is nothing to choose.
///
/// # Errors
/// As `enumerateDevices`, and if the page has no access to devices at all.
pub async fn list() -> Result<Vec<DeviceInfo>, Error> {
    let promise = media_devices()?.enumerate_devices().map_err(Error::from)?;
    let listed: Array = JsFuture::from(promise)
        .await
        .map_err(Error::from)?
        .unchecked_into();
    Ok(listed
        .iter()
        .filter_map(|device| {
            let device: MediaDeviceInfo = device.unchecked_into();
            let kind = match device.kind() {
                MediaDeviceKind::Audioinput => DeviceKind::Microphone,
                MediaDeviceKind::Videoinput => DeviceKind::Camera,
                MediaDeviceKind::Audiooutput => DeviceKind::Speaker,
                _ => return None,
            };
            let id = device.device_id();
            (!id.is_empty()).then(|| DeviceInfo {
                kind,
                id,
                label: device.label(),
                group: device.group_id(),
            })
        })
        .collect())
}

/// Calls `handler` when something was plugged in or pulled out, until dropped. `None` if the page
/// has no access to devices.
pub fn watch(handler: impl Fn() + 'static) -> Option<Listener> {
    let devices = media_devices().ok()?;
    Some(Listener::new(&devices, "devicechange", move |_| handler()))
}
