// A TCP relay between a client and a server, for breaking what is between them.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Runs `use` with a relay to `target`: `asked` is what clients sent, `cut()` breaks every connection, `down()` also
 * refuses new ones until `up()`.
 */
export async function relay(target, use) {
  const [host, port] = target.split(':');
  const sockets = new Set();
  const asked = [];
  let isDown = false;
  const server = createServer((client) => {
    if (isDown) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port), host);
    for (const [socket, other] of [[client, upstream], [upstream, client]]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => { sockets.delete(socket); other.destroy(); });
    }
    client.on('data', (bytes) => asked.push(bytes.toString('latin1')));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  try {
    return await use({
      http: `127.0.0.1:${server.address().port}`,
      url: `http://127.0.0.1:${server.address().port}`,
      asked,
      cut,
      down: () => { isDown = true; cut(); },
      up: () => { isDown = false; },
    });
  } finally {
    cut();
    server.close();
  }
}
