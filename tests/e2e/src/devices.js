// Pretends that a kind of device is not plugged in, as the page sees it. An expression: a function
// of what is there.
(there) => {
  "use strict";
  if ((there.camera && there.microphone) || !window.MediaDevices) return;
  const isThere = { videoinput: there.camera, audioinput: there.microphone };
  const list = MediaDevices.prototype.enumerateDevices;
  MediaDevices.prototype.enumerateDevices = async function () {
    return (await list.call(this)).filter((device) => isThere[device.kind] ?? true);
  };
  const capture = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const missing = (wanted?.video && !there.camera) || (wanted?.audio && !there.microphone);
    if (missing) throw new DOMException("The object can not be found here.", "NotFoundError");
    return capture.call(this, wanted);
  };
}
