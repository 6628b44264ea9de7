// Peer server: the WebSocket server of Bun; each text is published to a topic.

const WELCOME = "Welcome to Corvusoft Chat!";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const path = new URL(request.url).pathname;
    const known = path === "/chat" || path === "/echo";
    if (known && server.upgrade(request, { data: { path } })) return;
    return new Response("not found", { status: 404 });
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: 17 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    closeOnBackpressureLimit: true,
    idleTimeout: 0,
    open(client) {
      if (client.data.path !== "/chat") return;
      client.send(WELCOME);
      client.subscribe("chat");
    },
    message(client, message) {
      if (client.data.path === "/echo") client.send(message);
      else if (typeof message === "string") server.publish("chat", message);
      else client.close(1003, "text only");
    },
  },
});

console.error(`listening on http://127.0.0.1:${server.port}/`);
