// Injected before any script of the page. Watches what the page opens and whether it closes it
// again, without a word of help from the page itself. Everything hangs on `window.__probe`.
(() => {
  "use strict";
  if (window.__probe) return;

  const LOG_LINES = 500;
  const native = {
    add: EventTarget.prototype.addEventListener,
    remove: EventTarget.prototype.removeEventListener,
    setTimeout: window.setTimeout.bind(window),
    clearTimeout: window.clearTimeout.bind(window),
    setInterval: window.setInterval.bind(window),
    clearInterval: window.clearInterval.bind(window),
    requestAnimationFrame: window.requestAnimationFrame.bind(window),
    cancelAnimationFrame: window.cancelAnimationFrame.bind(window),
  };

  // --- What went wrong -------------------------------------------------------------------------
  const log = [];
  const note = (level, text) => {
    if (log.length < LOG_LINES) log.push({ level, text: String(text).slice(0, 2000), at: Math.round(performance.now()) });
  };
  const shown = (value) => {
    if (value instanceof Error) return value.stack || value.message;
    if (typeof value === "object") { try { return JSON.stringify(value); } catch { /* circular */ } }
    return String(value);
  };
  for (const level of ["debug", "log", "info", "warn", "error"]) {
    const say = console[level].bind(console);
    console[level] = (...values) => { note(level, values.map(shown).join(" ")); say(...values); };
  }
  native.add.call(window, "error", (event) => note("error", event.message || `cannot load ${event.target?.src || event.target?.href}`), true);
  native.add.call(window, "unhandledrejection", (event) => note("error", `unhandled rejection: ${shown(event.reason)}`));
  native.add.call(window, "securitypolicyviolation", (event) => note("error", `content security policy: ${event.violatedDirective} ${event.blockedURI}`));

  // --- What is open ----------------------------------------------------------------------------
  /** Replaces a constructor by one that remembers what it made. */
  const remember = (name, set, made = () => {}) => {
    const Native = window[name];
    if (!Native) return;
    window[name] = new Proxy(Native, {
      construct(target, parameters, newTarget) {
        const object = Reflect.construct(target, parameters, newTarget === window[name] ? target : newTarget);
        set.add(object);
        made(object);
        return object;
      },
    });
  };
  let peersMade = 0;
  const peers = new Map(); // connection -> number
  remember("RTCPeerConnection", { add: (peer) => { prune(); peers.set(peer, ++peersMade); } });
  const prune = () => { for (const peer of peers.keys()) if (peer.signalingState === "closed") peers.delete(peer); };

  // Every description that is set is a step of a negotiation.
  let descriptions = 0;
  for (const name of ["setLocalDescription", "setRemoteDescription"]) {
    const set = window.RTCPeerConnection?.prototype[name];
    if (set) RTCPeerConnection.prototype[name] = function (...description) { descriptions += 1; return set.apply(this, description); };
  }

  const sockets = new Set();
  const heard = [];
  const wire = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, opened: 0 };
  remember("WebSocket", sockets, (socket) => {
    wire.opened += 1;
    native.add.call(socket, "message", (event) => { if (heard.length < SAID) heard.push(String(event.data)); wire.received += 1; wire.receivedBytes += event.data.length ?? 0; });
    native.add.call(socket, "close", () => sockets.delete(socket));
  });
  const send = WebSocket.prototype.send;
  // What leaves the page, over whichever road: for tests of what must never leave it.
  const said = [];
  const SAID = 2000;
  const channelSend = window.RTCDataChannel?.prototype.send;
  // Bytes of files, over all pages that this tab has shown.
  const binary = { sent: 0, received: 0, ...JSON.parse(sessionStorage.getItem("test.binary") ?? "{}") };
  native.add.call(window, "pagehide", () => sessionStorage.setItem("test.binary", JSON.stringify(binary)));
  if (channelSend) RTCDataChannel.prototype.send = function (data) {
    if (typeof data === "string") { if (said.length < SAID) said.push(data); } else binary.sent += data.byteLength;
    return channelSend.call(this, data);
  };
  WebSocket.prototype.send = function (data) { if (said.length < SAID) said.push(String(data)); wire.sent += 1; wire.sentBytes += data.length ?? 0; return send.call(this, data); };

  const audioContexts = new Set();
  remember("AudioContext", audioContexts);

  const tracks = new Set();
  const took = (made) => {
    for (const track of tracks) if (track.readyState === "ended") tracks.delete(track);
    for (const track of made instanceof MediaStream ? made.getTracks() : [made]) tracks.add(track);
    return made;
  };
  const captures = { asked: 0, refused: 0 };
  // An insecure page has no devices at all.
  if (window.MediaDevices) {
    for (const name of ["getUserMedia", "getDisplayMedia"]) {
      const capture = MediaDevices.prototype[name];
      if (!capture) continue;
      MediaDevices.prototype[name] = function (...wanted) {
        captures.asked += 1;
        const given = capture.apply(this, wanted);
        given.then(took, () => { captures.refused += 1; });
        return given;
      };
    }
  }
  for (const owner of [window.MediaStreamTrack, window.MediaStream]) {
    const clone = owner.prototype.clone;
    owner.prototype.clone = function () { return took(clone.call(this)); };
  }

  const timers = { timeouts: new Set(), intervals: new Set(), frames: new Set() };
  window.setTimeout = (callback, ...rest) => {
    if (typeof callback !== "function") return native.setTimeout(callback, ...rest);
    const id = native.setTimeout((...values) => { timers.timeouts.delete(id); callback(...values); }, ...rest);
    timers.timeouts.add(id);
    return id;
  };
  window.setInterval = (callback, ...rest) => {
    const id = native.setInterval(callback, ...rest);
    timers.intervals.add(id);
    return id;
  };
  const clear = (id) => { timers.timeouts.delete(id); timers.intervals.delete(id); native.clearTimeout(id); };
  window.clearTimeout = clear;
  window.clearInterval = clear;
  window.requestAnimationFrame = (callback) => {
    const id = native.requestAnimationFrame((now) => { timers.frames.delete(id); callback(now); });
    timers.frames.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => { timers.frames.delete(id); native.cancelAnimationFrame(id); };

  // --- Who listens -----------------------------------------------------------------------------
  // Elements are left out: their listeners go with them.
  const counted = new WeakSet();
  const WATCHED = /^(RTC|WebSocket|MediaStream|MediaDevices|Window|HTMLDocument|AudioContext|MediaQueryList|Permission|BroadcastChannel|ScreenOrientation|VisualViewport|NetworkInformation)/;
  const kindOf = (target) => Object.prototype.toString.call(target ?? window).slice(8, -1);
  const listeners = new WeakMap();
  const counts = new Map();
  const change = (kind, by) => counts.set(kind, (counts.get(kind) ?? 0) + by);
  const keyOf = (type, options) => `${type}|${typeof options === "object" ? !!options?.capture : !!options}`;
  const forget = (target, kind, key, listener) => {
    if (listeners.get(target)?.get(key)?.delete(listener)) change(kind, -1);
  };
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    const target = this ?? window;
    const kind = kindOf(target);
    if (kind === "RTCDataChannel" && type === "message" && !counted.has(target)) {
      counted.add(target);
      native.add.call(target, "message", ({ data }) => { if (typeof data !== "string") binary.received += data.byteLength; });
    }
    if (listener && WATCHED.test(kind)) {
      const key = keyOf(type, options);
      if (!listeners.has(target)) listeners.set(target, new Map());
      const byKey = listeners.get(target);
      if (!byKey.has(key)) byKey.set(key, new Set());
      if (!byKey.get(key).has(listener)) {
        byKey.get(key).add(listener);
        change(kind, 1);
        if (options?.once) native.add.call(target, type, () => forget(target, kind, key, listener), { once: true, capture: !!options.capture });
        if (options?.signal) native.add.call(options.signal, "abort", () => forget(target, kind, key, listener), { once: true });
      }
    }
    return native.add.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    const target = this ?? window;
    const kind = kindOf(target);
    if (WATCHED.test(kind)) forget(target, kind, keyOf(type, options), listener);
    return native.remove.call(this, type, listener, options);
  };
  const handlersOf = (objects) => {
    let count = 0;
    for (const object of objects) for (const key in object) if (key.startsWith("on") && typeof object[key] === "function") count += 1;
    return count;
  };

  // --- What flows ------------------------------------------------------------------------------
  const inboundOf = (report) => {
    const inbound = [];
    for (const row of report.values()) {
      if (row.type !== "inbound-rtp") continue;
      inbound.push({
        kind: row.kind, mid: row.mid ?? null, packets: row.packetsReceived ?? 0, bytes: row.bytesReceived ?? 0,
        frames: row.framesDecoded ?? 0, energy: row.totalAudioEnergy ?? 0, samples: row.totalSamplesReceived ?? 0,
        width: row.frameWidth ?? 0, height: row.frameHeight ?? 0,
      });
    }
    return inbound;
  };
  const pairOf = (report) => {
    const rows = [...report.values()];
    const transport = rows.find((row) => row.type === "transport" && row.selectedCandidatePairId);
    const pair = transport ? report.get(transport.selectedCandidatePairId)
      : rows.find((row) => row.type === "candidate-pair" && row.nominated && row.state === "succeeded");
    if (!pair) return null;
    const local = report.get(pair.localCandidateId);
    const remote = report.get(pair.remoteCandidateId);
    return { local: local?.candidateType ?? null, remote: remote?.candidateType ?? null, address: local?.address ?? null };
  };
  // Firefox never answers for a connection that is closed while it looks.
  const statsOf = (peer) => Promise.race([
    // A connection may close while it is looked at.
    peer.getStats().catch(() => new Map()),
    new Promise((give) => native.setTimeout(() => give(new Map()), 1000)),
  ]);
  const describe = async (peer, id) => {
    const report = await statsOf(peer);
    const outbound = [...report.values()].filter((row) => row.type === "outbound-rtp");
    return {
      id, connection: peer.connectionState, ice: peer.iceConnectionState, gathering: peer.iceGatheringState,
      signaling: peer.signalingState,
      transceivers: peer.getTransceivers().map((transceiver) => ({
        mid: transceiver.mid, kind: transceiver.receiver.track.kind, direction: transceiver.direction,
        current: transceiver.currentDirection ?? null, sends: transceiver.sender.track?.readyState === "live",
      })),
      inbound: inboundOf(report),
      sentPackets: outbound.reduce((sum, row) => sum + (row.packetsSent ?? 0), 0),
      pair: pairOf(report),
      mdns: [...(peer.localDescription?.sdp ?? "").matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+)/gm)].map((match) => match[1]).filter((address) => address.endsWith(".local")).length,
    };
  };

  // How long nothing arrived, at least: the time from the last look that saw something new to the
  // last one that did not. A look that comes late proves nothing about the time it missed.
  const watched = new Map(); // "<connection>/<kind>" -> { packets, news, worst }
  let watching = null;
  const look = async () => {
    prune();
    const open = new Set([...peers.values()].map(String));
    for (const key of watched.keys()) if (!open.has(key.split("/")[0])) watched.delete(key);
    for (const [peer, id] of peers) {
      const inbound = inboundOf(await statsOf(peer));
      const now = performance.now();
      for (const kind of ["audio", "video"]) {
        const packets = inbound.filter((row) => row.kind === kind).reduce((sum, row) => sum + row.packets, 0);
        const key = `${id}/${kind}`;
        const seen = watched.get(key);
        if (!seen) watched.set(key, { packets, news: now, worst: 0, looks: 1 });
        else {
          seen.looks += 1;
          if (packets !== seen.packets) { seen.packets = packets; seen.news = now; }
          else seen.worst = Math.max(seen.worst, now - seen.news);
        }
      }
    }
  };

  const probe = {
    log,
    open() {
      prune();
      for (const context of audioContexts) if (context.state === "closed") audioContexts.delete(context);
      const liveTracks = [...tracks].filter((track) => track.readyState === "live");
      return {
        peers: peers.size, peersMade, descriptions,
        sockets: [...sockets].filter((socket) => socket.readyState <= 1).length,
        tracks: liveTracks.length,
        trackKinds: liveTracks.map((track) => track.kind).sort(),
        audioContexts: audioContexts.size,
        timeouts: timers.timeouts.size, intervals: timers.intervals.size, frames: timers.frames.size,
        listeners: Object.fromEntries([...counts].filter(([, count]) => count !== 0).sort()),
        handlers: handlersOf(peers.keys()) + handlersOf(sockets) + handlersOf(liveTracks),
        captures: captures.asked, refused: captures.refused,
      };
    },
    wire: () => ({ ...wire }),
    said: () => said,
    heard: () => heard,
    /** Bytes of binary messages on data channels so far. */
    binary: () => ({ ...binary }),
    /** Ends every connection behind the page's back. */
    kill() { for (const peer of peers.keys()) peer.close(); },
    async peers() {
      prune();
      const all = await Promise.all([...peers].map(([peer, id]) => describe(peer, id).catch(() => null)));
      return all.filter((peer) => peer !== null && peer.signaling !== "closed");
    },
    watch() {
      watched.clear();
      const turn = async () => { await look(); if (watching !== null) watching = native.setTimeout(turn, 40); };
      watching = native.setTimeout(turn, 0);
    },
    /** Restarts ICE on every connection, as a browser does that finds another network. */
    restartIce() { for (const peer of peers.keys()) peer.restartIce(); },
    /** Every connection that is not closed. */
    connections() { prune(); return [...peers.keys()]; },
    /** The own description of the first connection. */
    sdp: () => [...peers.keys()][0]?.localDescription?.sdp ?? "",
    /** Stops the camera's sender of every connection, behind the page's back. */
    freeze: () => Promise.all([...peers.keys()].map((peer) => {
      const { sender } = peer.getTransceivers()[1];
      if (!navigator.userAgent.includes("Firefox")) return sender.replaceTrack(null);
      // Firefox sends a black picture a second where there is no track.
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) encoding.active = false;
      return sender.setParameters(parameters);
    })),
    /** The fewest looks at any stream so far. */
    looks: () => watched.size === 0 ? 0 : Math.min(...[...watched.values()].map((seen) => seen.looks)),
    unwatch() {
      native.clearTimeout(watching);
      watching = null;
      return Object.fromEntries([...watched].map(([key, seen]) => [key, { worst: seen.worst, looks: seen.looks }]));
    },
  };
  Object.defineProperty(window, "__probe", { value: probe, enumerable: false });
})();
