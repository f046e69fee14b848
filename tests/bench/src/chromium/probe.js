// Notes, inside a page and without its help, when it can be used, when it was clicked, and when the
// first frame from elsewhere was shown. The same for our client and for the floor.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const probe = { ready: null, clicked: null, frames: [], connections: [], memories: [] };
  Object.defineProperty(window, "__probe", { value: probe });

  // Usable: the button is there and enabled, and the page says that it listens.
  probe.button = () =>
    [...document.querySelectorAll("button")].find((button) => button.textContent.trim() === "Join now");
  const look = () => {
    if (probe.ready !== null || document.body?.dataset.ready !== "true") return;
    const button = probe.button();
    if (!button || button.disabled || button.getAttribute("aria-disabled") === "true") return;
    probe.ready = performance.now();
    note("usable");
    observer.disconnect();
  };
  const observer = new MutationObserver(look);
  observer.observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["disabled", "aria-disabled", "data-ready"],
  });

  probe.setName = (name) => {
    const input = [...document.querySelectorAll("input")].find((input) => input.labels?.[0]?.textContent.includes("Your name"));
    if (!input || input.value === name) return;
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  probe.click = () => {
    const button = probe.button();
    if (!button || button.disabled) throw new Error("there is no button to click");
    probe.clicked = now();
    button.click();
    note("click handled");
  };

  // What happened when, to see where the time goes.
  const events = [];
  const note = (what) => events.length < 2000 && events.push([now(), what]);
  probe.timeline = () => events.map(([at, what]) => [at, what]);

  const getUserMedia = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = function (wanted) {
    const kinds = Object.keys(wanted ?? {}).join("+");
    note(`devices asked for ${kinds}`);
    const got = getUserMedia.call(this, wanted);
    got.then(() => note(`devices got ${kinds}`), () => note(`devices refused ${kinds}`));
    return got;
  };
  document.addEventListener("DOMContentLoaded", () => note("document parsed"));
  // What was loaded when, and what was painted, is in the browser's own records.
  probe.loads = () => [
    ...performance.getEntriesByType("navigation").map((entry) => [entry.responseEnd, "loaded the page"]),
    ...performance.getEntriesByType("resource").flatMap((entry) => {
      const name = new URL(entry.name).pathname;
      return [[entry.startTime, `asks for ${name}`], [entry.responseEnd, `loaded ${name}`]];
    }),
    ...performance.getEntriesByType("paint").map((entry) => [entry.startTime, entry.name]),
    ...performance.getEntriesByType("longtask").map((entry) => [entry.startTime, `task of ${entry.duration} ms`]),
    ...events.map(([at, what]) => [at - performance.timeOrigin, what]),
  ];

  // Tracks that came over a connection, to tell the others' videos from the own preview.
  const remote = new WeakSet();
  const Native = window.RTCPeerConnection;
  const timed = (name, label) =>
    function (...args) {
      note(`${label(args)} begins`);
      const done = Native.prototype[name].apply(this, args);
      done.then(() => note(`${label(args)} done`), () => note(`${label(args)} failed`));
      return done;
    };
  window.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(...args) {
      super(...args);
      note("connection made");
      probe.connections.push(this);
      this.addEventListener("track", ({ track }) => {
        remote.add(track);
        note(`track ${track.kind}`);
        track.addEventListener("unmute", () => note(`unmute ${track.kind}`), { once: true });
      });
      this.addEventListener("icecandidate", ({ candidate }) => note(candidate ? "candidate found" : "candidates end"));
      this.addEventListener("iceconnectionstatechange", () => note(`ice ${this.iceConnectionState}`));
      this.addEventListener("connectionstatechange", () => note(`connection ${this.connectionState}`));
    }
  };
  Object.assign(window.RTCPeerConnection.prototype, {
    setLocalDescription: timed("setLocalDescription", () => "set local"),
    setRemoteDescription: timed("setRemoteDescription", ([description]) => `set remote ${description?.type}`),
    addIceCandidate: timed("addIceCandidate", () => "add candidate"),
    createOffer: timed("createOffer", () => "create offer"),
    createAnswer: timed("createAnswer", () => "create answer"),
  });
  const replace = RTCRtpSender.prototype.replaceTrack;
  RTCRtpSender.prototype.replaceTrack = function (track) {
    note(`replace track ${track?.kind}`);
    return replace.call(this, track);
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    note(`send ${data.length} ${String(data).slice(0, 12)}`);
    return send.call(this, data);
  };
  const NativeSocket = window.WebSocket;
  window.WebSocket = class WebSocket extends NativeSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => note(`hear ${data.length} ${String(data).slice(0, 12)}`));
    }
  };

  const watched = new WeakSet();
  const watch = (video) => {
    video.requestVideoFrameCallback(() => {
      const track = video.srcObject?.getVideoTracks?.()[0];
      if (track && remote.has(track)) {
        probe.frames.push(now());
        note("first frame");
      } else if (!track || track.readyState === "ended") {
        watch(video);
      } else {
        watched.delete(video);
      }
    });
  };
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...property,
    set(stream) {
      property.set.call(this, stream);
      if (stream && this instanceof HTMLVideoElement && !watched.has(this)) {
        watched.add(this);
        watch(this);
      }
    },
  });

  // The memory of WebAssembly modules is not in the JavaScript heap.
  const keep = (result) => {
    for (const value of Object.values((result.instance ?? result).exports)) {
      if (value instanceof WebAssembly.Memory) probe.memories.push(value);
    }
    return result;
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const native = WebAssembly[name];
    WebAssembly[name] = (...args) => {
      note("wasm begins");
      return native.apply(WebAssembly, args).then((result) => (note("wasm compiled"), keep(result)));
    };
  }
  probe.wasmBytes = () => probe.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);

  // What every live connection gets, for calls of several.
  probe.inbound = async () => {
    const links = [];
    for (const connection of probe.connections) {
      if (connection.connectionState !== "connected") continue;
      const link = { frames: 0, width: 0, height: 0, energy: 0, packets: 0 };
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        if (report.kind === "video") {
          link.frames += report.framesDecoded ?? 0;
          link.width = Math.max(link.width, report.frameWidth ?? 0);
          link.height = Math.max(link.height, report.frameHeight ?? 0);
        } else {
          link.energy += report.totalAudioEnergy ?? 0;
          link.packets += report.packetsReceived ?? 0;
        }
      }
      links.push(link);
    }
    return links;
  };
})();
