// Peer server: the `ws` package on Node, one loop over all open clients for each text.
"use strict";

const http = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const WELCOME = "Welcome to Corvusoft Chat!";
const options = { noServer: true, perMessageDeflate: false, maxPayload: 17 * 1024 * 1024 };
const chat = new WebSocketServer(options);
const echo = new WebSocketServer(options);

chat.on("connection", (member) => {
  member.on("error", () => {}); // a failed connection only ends this client
  member.on("message", (message, isBinary) => {
    if (isBinary) {
      member.close(1003, "text only");
      return;
    }
    for (const other of chat.clients) {
      if (other.readyState === WebSocket.OPEN) other.send(message, { binary: false });
    }
  });
  member.send(WELCOME);
});

echo.on("connection", (client) => {
  client.on("error", () => {});
  client.on("message", (message, isBinary) => client.send(message, { binary: isBinary }));
});

const server = http.createServer((request, response) => response.writeHead(404).end());
server.on("upgrade", (request, socket, head) => {
  const room = { "/chat": chat, "/echo": echo }[request.url];
  if (!room) {
    socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  socket.setNoDelay(true);
  room.handleUpgrade(request, socket, head, (client) => room.emit("connection", client));
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}/`);
});
