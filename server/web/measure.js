// The page that hosts the subscribers of a measurement: it begins clients, notes what happens to them, and is asked.
//
// A note is a row of numbers in a typed array: nothing is sent anywhere, and whoever measures fetches rows when that
// disturbs nobody. A message is stamped before anything else is done with it.

import { FetchStreaming } from './fetch-streaming.js';
import { HttpStreaming } from './http-streaming.js';
import { LongPolling } from './long-polling.js';
import { ShortPolling } from './short-polling.js';
import { ServerSentEvents } from './sse.js';
import { WebSocketClient } from './websocket.js';

const CLIENTS = {
  'short-polling': ShortPolling,
  'long-polling': LongPolling,
  'http-streaming': HttpStreaming,
  'fetch-streaming': FetchStreaming,
  sse: ServerSentEvents,
  websocket: WebSocketClient,
};

// Of a row: what happened, to whom, at which millisecond of this page's clock, and up to six numbers more.
const [CONNECTING, OPEN, REQUEST, MESSAGE, MISSED, STRANGE, EMPTY, BROKE, CLOSED] = Array(9).keys();
const COLUMNS = 9;
const ROWS_A_BLOCK = 1024;

const clients = [];
const blocks = [new Float64Array(COLUMNS * ROWS_A_BLOCK)];
let noted = 0;
let reasons = [];

function note(...row) {
  if (noted === ROWS_A_BLOCK * blocks.length) blocks.push(new Float64Array(COLUMNS * ROWS_A_BLOCK));
  blocks.at(-1).set(row, COLUMNS * (noted % ROWS_A_BLOCK));
  noted += 1;
}

/** A message of the generator's says who sent it, which it is, and when; a cursor is `<epoch, hexadecimal>-<sequence>`. */
function noteMessage(number, at, data, cursor) {
  const { from, n, due, sent } = stampOf(data);
  if (Number.isInteger(n)) note(MESSAGE, number, at, from, n, due, sent, parseInt(cursor, 16), Number(cursor.slice(9)));
  else note(STRANGE, number, at);
}

function stampOf(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

function begin(number, { transport, topic, options }) {
  const polls = transport.endsWith('polling');
  note(CONNECTING, number, performance.now());
  const client = new CLIENTS[transport](topic, options);
  clients[number] = client;
  client.addEventListener('message', ({ data, lastEventId }) => noteMessage(number, performance.now(), data, lastEventId));
  client.addEventListener('open', () => {
    const at = performance.now();
    note(OPEN, number, at);
    // One of many requests: those of polls are in the browser's own list.
    if (!polls) note(REQUEST, number, at);
  });
  client.addEventListener('missed', ({ detail }) => note(MISSED, number, performance.now(), detail ?? -1));
  client.addEventListener('error', ({ detail }) => {
    note(BROKE, number, performance.now());
    reasons.push(detail.reason);
  });
  client.addEventListener('close', ({ detail }) => {
    note(CLOSED, number, performance.now(), detail.wasClean ? 1 : 0);
    reasons.push(`${detail.code} ${detail.reason}`);
  });
}

/** The rows of the oldest block, whether there are more, and what was said of broken connections. */
function take() {
  const block = blocks[0];
  const count = Math.min(noted, ROWS_A_BLOCK);
  const rows = Array.from({ length: count }, (_, row) => Array.from(block.subarray(COLUMNS * row, COLUMNS * (row + 1))));
  if (blocks.length > 1) blocks.shift();
  noted -= count;
  const said = reasons;
  reasons = [];
  return JSON.stringify({ rows, reasons: said, more: noted > 0 });
}

/** The least difference, in milliseconds, between two readings of the clock. */
function resolution() {
  let least = Infinity;
  for (let step = 0; step < 50; step += 1) {
    const before = performance.now();
    let after = before;
    while (after === before) after = performance.now();
    least = Math.min(least, after - before);
  }
  return least;
}

// Polls, as the browser lists them. The list itself is never read, and its entries would only take room.
new PerformanceObserver((list) => {
  for (const { name, startTime, responseStatus } of list.getEntries()) {
    if (!name.includes('-polling?')) continue;
    note(REQUEST, 0, startTime);
    if (responseStatus === 204) note(EMPTY, 0, startTime);
  }
  performance.clearResourceTimings();
}).observe({ type: 'resource' });

globalThis.pushoff = { begin, take, resolution, clients };
