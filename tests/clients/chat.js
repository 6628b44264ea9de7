// Tests the chat with Node's ws: node chat.js PORT. The server runs with --max-message 17M.
'use strict';

let WebSocket;
try {
  WebSocket = require('ws');
} catch {
  console.error("Node's ws is not installed");
  process.exit(77);
}
const assert = require('node:assert');
const { once } = require('node:events');

const at = (path) => `ws://127.0.0.1:${process.argv[2]}${path}`;

/** Opens a WebSocket that queues its messages until `receive` is called. */
function open(path) {
  const socket = new WebSocket(at(path), { maxPayload: 0 });
  const messages = [];
  const waiting = [];
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (waiting.length) waiting.shift()(message); else messages.push(message);
  });
  socket.receive = () => messages.length
    ? Promise.resolve(messages.shift())
    : new Promise((resolve) => waiting.push(resolve));
  return socket;
}

async function join() {
  const member = open('/chat');
  assert.strictEqual(await member.receive(), 'Welcome to Corvusoft Chat!');
  return member;
}

async function main() {
  const one = await join();
  const other = await join();
  one.send('héllo 🙂');
  for (const member of [one, other]) assert.strictEqual(await member.receive(), 'héllo 🙂');
  one.send('frag', { fin: false });
  one.send('ments', { fin: true });
  for (const member of [one, other]) assert.strictEqual(await member.receive(), 'fragments');

  const pong = once(one, 'pong');
  one.ping('payload');
  assert.strictEqual((await pong)[0].toString(), 'payload');

  const closed = once(one, 'close');
  one.close(1000, 'bye');
  assert.strictEqual((await closed)[0], 1000);
  const refused = once(other, 'close');
  other.send(Buffer.from([0, 1, 2]));
  assert.strictEqual((await refused)[0], 1003);

  const echo = open('/echo');
  await once(echo, 'open');
  const large = Buffer.alloc(16 << 20, 0xa5);
  echo.send(large);
  assert.ok(large.equals(await echo.receive()));
  const ended = once(echo, 'close');
  echo.send(Buffer.alloc((17 << 20) + 1));
  assert.strictEqual((await ended)[0], 1009);
}

setTimeout(() => { console.error('not finished after 60 s'); process.exit(1); }, 60_000).unref();
main().catch((error) => { console.error(error); process.exit(1); });
