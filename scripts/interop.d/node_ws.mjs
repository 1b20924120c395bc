// The npm package `ws`.

import assert from 'node:assert/strict';
import { on, once } from 'node:events';

import { cursors, load, numbers, run, serve, within } from './pushoff.mjs';

const { WebSocket } = load('ws');

/** Opens a socket whose messages can be awaited one by one. */
async function open(server, path, options) {
  const socket = new WebSocket(`ws://${server.http}${path}`, options);
  const messages = on(socket, 'message');
  const closed = once(socket, 'close').then(([code]) => code);
  await within(once(socket, 'open'), 'the handshake');
  const receive = async () => {
    const { value: [bytes, isBinary] } = await within(messages.next(), 'a message');
    return isBinary ? bytes : bytes.toString();
  };
  return { socket, receive, closed: () => within(closed, 'the close') };
}

const receiveAll = async (receive, count) => {
  const received = [];
  while (received.length < count) received.push(JSON.parse(await receive()));
  return received;
};

await run('Node ws', {
  'speaks and hears in order': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      const { socket, receive } = await open(server, '/topics/t/websocket');
      assert.deepEqual(JSON.parse(await receive()), { open: origin });
      for (const number of numbers(1, 20)) socket.send(JSON.stringify(number));
      const ids = cursors(origin, numbers(1, 20));
      assert.deepEqual(await receiveAll(receive, 20), ids.map((id, index) => ({ id, data: index + 1 })));
      socket.terminate();
    }),
  'resumes and is told what it missed': () =>
    serve(['--replay', '2'], async (server) => {
      const published = await server.publish('t', ...numbers(1, 6));
      const { socket, receive } = await open(server, '/topics/t/websocket', { headers: { 'Last-Event-ID': published[1] } });
      const [, notice, ...messages] = await receiveAll(receive, 4);
      assert.deepEqual(notice, { missed: 2, id: published[3] });
      assert.deepEqual(messages.map(({ id }) => id), published.slice(4));
      socket.terminate();
    }),
  'is closed with 1000 by completion and with 1001 by shutdown': () =>
    serve([], async (server) => {
      const done = await open(server, '/topics/done/websocket');
      const going = await open(server, '/topics/going/websocket');
      await server.complete('done');
      assert.equal(await done.closed(), 1000);
      assert.equal(await server.stop(), 0);
      assert.equal(await going.closed(), 1001);
    }),
  'hears its own close echoed': () =>
    serve([], async (server) => {
      const { socket, closed } = await open(server, '/topics/t/websocket');
      socket.close(4001, 'by agreement');
      assert.equal(await closed(), 4001);
    }),
  'echoes text and binary messages of every length': () =>
    serve(['--echo'], async (server) => {
      const { socket, receive } = await open(server, '/echo', { perMessageDeflate: true });
      for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
        socket.send('x'.repeat(length));
        assert.equal(await receive(), 'x'.repeat(length));
        const bytes = Buffer.alloc(length, 7);
        socket.send(bytes);
        assert.deepEqual(await receive(), bytes);
      }
      socket.terminate();
    }),
});
