// The least relay that one writes with `ws`: two sockets that name the same pair in their URL get
// each other's messages. Nothing is parsed, checked, counted or limited.
import { WebSocketServer } from "ws";

const waiting = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 1024 });

server.on("connection", (socket, request) => {
  const pair = request.url;
  const other = waiting.get(pair);
  if (other) {
    waiting.delete(pair);
    socket.other = other;
    other.other = socket;
  } else {
    waiting.set(pair, socket);
  }
  socket.on("message", (data, isBinary) => {
    socket.other?.send(data, { binary: isBinary });
  });
  socket.on("error", () => socket.terminate());
});
server.on("listening", () => console.log(`listening at 127.0.0.1:${server.address().port}`));
