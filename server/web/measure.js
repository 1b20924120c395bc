// The page that hosts the subscribers of a measurement: it begins clients, notes what happens to them, and is asked.
//
// A note is a row of numbers in a typed array: nothing is sent anywhere, and whoever measures fetches rows when that
// disturbs nobody. A message is stamped before it is looked at; those that come together are stamped one after another, each
// when the one before it has been looked at, as an application would get them.

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

// Of a row: what happened, to whom, at which millisecond of this page's clock, and up to seven numbers more.
const [CONNECTING, OPEN, REQUEST, MESSAGE, MISSED, STRANGE, EMPTY, BROKE, CLOSED] = Array(9).keys();
const COLUMNS = 10;
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

/**
 * A message of the generator's says who sent it, which it is, and when; a cursor is `<epoch, hexadecimal>-<sequence>`.
 * The last number is what the checksum leaves when the body's is taken out: the generator knows what that has to be.
 */
function noteMessage(number, at, data, cursor) {
  const { from, n, due, sent, sum } = stampOf(data);
  if (!Number.isInteger(n)) return note(STRANGE, number, at);
  const found = (sum ^ crc32(bodyOf(data))) >>> 0;
  return note(MESSAGE, number, at, from, n, due, sent, parseInt(cursor, 16), Number(cursor.slice(9)), found);
}

/** The bytes of the body, which is the last member of the payload. */
function bodyOf(data) {
  const start = data.indexOf(BODY) + BODY.length;
  if (bytes.length < 3 * (data.length - start)) bytes = new Uint8Array(6 * data.length);
  return bytes.subarray(0, encoder.encodeInto(data.slice(start, -1), bytes).written);
}

const BODY = '"body":';
const encoder = new TextEncoder();
let bytes = new Uint8Array(1024);

/** CRC-32 (IEEE 802.3), a byte at a time. */
function crc32(all) {
  let sum = -1;
  for (let at = 0; at < all.length; at += 1) sum = CRC_OF[(sum ^ all[at]) & 0xff] ^ (sum >>> 8);
  return ~sum;
}

const CRC_OF = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  return sum;
});

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
