// A broadcast server as one writes it with Node: WebSocket by `ws`, SSE and publishing by node:http.
//
// A topic keeps its newest messages; who comes gets them all, or those after Last-Event-ID. What a
// message looks like on the wire is made once for all its readers. One process, one thread.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fstatSync } from 'node:fs';

const { WebSocketServer, WebSocket } = createRequire(`${process.env.PEER_HOME}/`)('ws');
const { version } = createRequire(`${process.env.PEER_HOME}/`)('ws/package.json');

const KEPT = 1024;
const MAX_PAYLOAD_BYTES = 64 * 1024;
const HEARTBEAT_MS = 1000 * Number(process.env.PUSHOFF_HEARTBEAT_SECONDS ?? 0);
const PATH = /^\/topics\/([A-Za-z0-9._-]{1,64})(?:\/(sse|websocket))?$/;

/** @type {Map<string, { last: number, kept: object[], events: Set, sockets: Set }>} */
const topics = new Map();

function topicOf(name) {
  let topic = topics.get(name);
  if (!topic) topics.set(name, (topic = { last: 0, kept: [], events: new Set(), sockets: new Set() }));
  return topic;
}

function publish(topic, payload) {
  const id = ++topic.last;
  const message = {
    id,
    event: Buffer.from(`id: ${id}\ndata: ${payload}\n\n`),
    frame: Buffer.from(`{"id":${id},"data":${payload}}`),
  };
  if (topic.kept.push(message) > KEPT) topic.kept.shift();
  for (const response of topic.events) response.write(message.event);
  for (const socket of topic.sockets) socket.send(message.frame, { binary: false });
  return id;
}

/** A JSON text as it was sent, on one line, as an event's data needs it. */
function checked(text) {
  JSON.parse(text);
  return text.replace(/[\r\n]/g, ' ');
}

/** What a newcomer, or one who comes back, has still to hear. */
function pending(topic, request) {
  const after = Number(request.headers['last-event-id'] ?? 0);
  return topic.kept.filter(({ id }) => id > after);
}

async function receive(request, response, topic) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    if ((length += part.length) > MAX_PAYLOAD_BYTES) return answer(response, 413);
    parts.push(part);
  }
  let payload;
  try {
    payload = checked(Buffer.concat(parts).toString());
  } catch {
    return answer(response, 400);
  }
  answer(response, 201, JSON.stringify({ id: publish(topic, payload) }));
}

function answer(response, status, body = '') {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function stream(request, response, topic) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  for (const { event } of pending(topic, request)) response.write(event);
  topic.events.add(response);
  response.on('close', () => topic.events.delete(response));
}

const server = createServer({ noDelay: true, keepAliveTimeout: 3_600_000 }, (request, response) => {
  const [, name, technique] = PATH.exec(request.url) ?? [];
  if (name && !technique && request.method === 'POST') {
    receive(request, response, topicOf(name)).catch(() => response.destroy());
  } else if (technique === 'sse' && request.method === 'GET') {
    stream(request, response, topicOf(name));
  } else {
    answer(response, 404);
  }
});

const websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES });
server.on('upgrade', (request, connection, head) => {
  const [, name, technique] = PATH.exec(request.url) ?? [];
  if (technique !== 'websocket') return connection.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  websockets.handleUpgrade(request, connection, head, (socket) => {
    const topic = topicOf(name);
    for (const { frame } of pending(topic, request)) socket.send(frame, { binary: false });
    topic.sockets.add(socket);
    socket.on('close', () => topic.sockets.delete(socket));
    socket.on('error', () => socket.terminate());
    socket.on('message', (bytes, isBinary) => {
      try {
        if (!isBinary) publish(topic, checked(bytes.toString()));
      } catch {
        socket.close(1007);
      }
    });
  });
});

if (HEARTBEAT_MS > 0) {
  setInterval(() => {
    for (const { events, sockets } of topics.values()) {
      for (const response of events) response.write(':\n\n');
      for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }, HEARTBEAT_MS).unref();
}

function end() {
  server.close(() => process.exit(0));
  for (const { events, sockets } of topics.values()) {
    for (const response of events) response.end();
    for (const socket of sockets) socket.close(1001);
  }
  // Who does not go is cut off.
  setTimeout(() => process.exit(0), 200);
  server.closeIdleConnections();
}

process.once('SIGTERM', end).once('SIGINT', end);
if (fstatSync(0).isFIFO() || fstatSync(0).isSocket()) process.stdin.once('end', end).resume();

server.listen({ host: process.env.PUSHOFF_ADDRESS ?? '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const { address, port } = server.address();
  console.log(JSON.stringify({ http: `${address}:${port}`, server: `node ${process.versions.node} ws ${version}` }));
});
