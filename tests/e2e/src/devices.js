// What is plugged in and allowed, as the page sees it, for what fake devices cannot do by themselves: be
// missing, be pulled out, be taken back, be refused. An expression: a function of what is there.
(there) => {
  "use strict";
  // What a test has asked for with `Browser::fail_captures`, over reloads.
  let fails = null;
  try { fails = sessionStorage.getItem("test.fails"); } catch { /* a page without storage */ }
  if (fails === "no mediaDevices") {
    // As on a page that came over plain HTTP.
    Object.defineProperty(Navigator.prototype, "mediaDevices", { get: () => undefined, configurable: true });
    return;
  }
  if (!window.MediaDevices) return;
  const isThere = { videoinput: there.camera, audioinput: there.microphone };
  const NAMES = { videoinput: "camera", audioinput: "microphone" };
  const tracks = { videoinput: null, audioinput: null };
  const pulled = new Set();
  const refused = new Set();
  let another = null;
  let speakers = null;
  let held = null;

  const nativeList = MediaDevices.prototype.enumerateDevices;
  const list = async () => {
    const listed = await nativeList.call(navigator.mediaDevices);
    const left = listed.filter((device) => (isThere[device.kind] ?? true) && !pulled.has(device.deviceId) && !refused.has(device.kind));
    if (speakers === null) return left;
    const own = speakers.map((id) => ({ kind: "audiooutput", deviceId: id, groupId: id, label: id }));
    return [...left.filter((device) => device.kind !== "audiooutput"), ...own];
  };
  MediaDevices.prototype.enumerateDevices = async function () {
    const listed = await list();
    if (another === null) return listed;
    // Another default, as Chromium tells it beside the device itself and as Firefox does.
    const entry = { kind: "audioinput", groupId: another, label: another, deviceId: another };
    const alias = { ...entry, label: `Default - ${another}`, deviceId: "default" };
    const others = listed.map((device) => device.deviceId === "default" && device.kind === "audioinput" ? alias : device);
    return [entry, ...others];
  };

  const capture = MediaDevices.prototype.getUserMedia;
  const fail = (name) => { throw new DOMException("As the test wants it.", name); };
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const key = wanted.video ? "video" : "audio";
    const kind = `${key}input`;
    if (fails) fail(fails);
    if (refused.has(kind)) fail("NotAllowedError");
    if (!isThere[kind]) fail("NotFoundError");
    if (another !== null && wanted[key].deviceId?.exact === another) {
      // There is none of that name: the last one there is, which Chromium takes for another device.
      const last = (await list()).findLast((device) => device.kind === kind);
      wanted = { [key]: { ...wanted[key], deviceId: { exact: last.deviceId } } };
    }
    if (pulled.size > 0) {
      const exactly = wanted[key].deviceId?.exact;
      if (pulled.has(exactly)) fail("OverconstrainedError");
      const [first] = (await list()).filter((device) => device.kind === kind);
      if (!first) fail("NotFoundError");
      if (!exactly) wanted = { [key]: { ...wanted[key], deviceId: { exact: first.deviceId } } };
    }
    const stream = await capture.call(this, wanted);
    [tracks[kind]] = stream.getTracks();
    await held;
    return stream;
  };

  // A status says what the browser says until a test says otherwise.
  const statuses = [];
  const query = window.Permissions?.prototype.query;
  if (query) {
    Permissions.prototype.query = async function (what) {
      const status = await query.call(this, what);
      statuses.push([what.name, status]);
      const kind = Object.keys(NAMES).find((key) => NAMES[key] === what.name);
      if (refused.has(kind)) Object.defineProperty(status, "state", { value: "denied", configurable: true });
      return status;
    };
  }
  // Firefox does not hand events of one's own making to those who listen to a track.
  const listeners = new Map();
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (this instanceof MediaStreamTrack) listeners.set(this, [...(listeners.get(this) ?? []), [type, listener]]);
    return addEventListener.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    if (listeners.has(this)) listeners.set(this, listeners.get(this).filter((entry) => entry[1] !== listener));
    return removeEventListener.call(this, type, listener, options);
  };
  const tell = (track, type) => {
    for (const [wanted, listener] of listeners.get(track) ?? []) if (wanted === type) listener.call(track, new Event(type));
  };
  const changed = () => navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
  const end = (kind) => {
    tracks[kind].stop();
    tell(tracks[kind], "ended");
  };
  const permit = (kind, state) => {
    for (const [name, status] of statuses) {
      if (name !== NAMES[kind]) continue;
      Object.defineProperty(status, "state", { value: state, configurable: true });
      status.dispatchEvent(new Event("change"));
    }
  };
  Object.defineProperty(window, "__devices", { value: {
    /** The track in use. */
    track: (kind) => tracks[kind],
    /** The device in use. */
    inUse: (kind) => tracks[kind]?.readyState === "live" ? tracks[kind].getSettings().deviceId : null,
    /** Pulls out the device in use. */
    pull(kind) { pulled.add(tracks[kind].getSettings().deviceId); end(kind); changed(); },
    /** Plugs in again whatever was pulled out. */
    plug() { pulled.clear(); changed(); },
    /** Makes another microphone the system's choice. */
    another(label) { another = label; changed(); },
    /** Makes these the speakers there are, as a machine without a sound device has none to pull out. Elements
        take each of them, but one that is called "Broken". */
    speakers(ids) {
      speakers = ids;
      HTMLMediaElement.prototype.setSinkId = async function (id) {
        if (id !== "" && (id === "Broken" || !speakers.includes(id))) fail("NotFoundError");
        this.__speaker = id;
      };
      changed();
    },
    /** The system mutes a track, or gives it back. */
    mute(kind, muted) { tell(tracks[kind], muted ? "mute" : "unmute"); },
    /** The person takes a permission back, or gives it again. */
    revoke(kind) { refused.add(kind); end(kind); permit(kind, "denied"); changed(); },
    permit(kind) { refused.delete(kind); permit(kind, "granted"); changed(); },
    /** Whether the browser tells of permissions. */
    tells: (kind) => statuses.some(([name]) => name === NAMES[kind]),
    /** Keeps the answer to whatever is asked for from now on, until what this returns is called. */
    hold() { let release; held = new Promise((done) => { release = done; }); return () => { held = null; release(); }; },
  } });
}
