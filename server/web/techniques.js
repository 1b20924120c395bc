// The six lanes: what each is called, says of itself, looks like on the wire, and costs a message.
//
// Colours and markers are those of the reports. Sources of the sizes: RFC 9112 §7.1 (chunks), RFC 6455 §5.2 (frames),
// WHATWG HTML §9.2 (events), docs/TRANSPORTS.md (lines).

import { FetchStreaming } from './fetch-streaming.js';
import { HttpStreaming } from './http-streaming.js';
import { LongPolling } from './long-polling.js';
import { ShortPolling } from './short-polling.js';
import { ServerSentEvents } from './sse.js';
import { WebSocketClient } from './websocket.js';

/** What the heads of one request and its answer weigh together, about: a page cannot see them. */
export const HEADS_BYTES = 750;

const bytes = (text) => new TextEncoder().encode(text).length;

/** `{"id":"CURSOR","data":PAYLOAD}` */
const line = (id, payload) => 17 + id.length + bytes(payload);

const chunk = (length) => length.toString(16).length + 4 + length;

const frame = (length) => (length < 126 ? 2 : length < 65_536 ? 4 : 10) + length;

const event = (id, payload) => payload.split('\n').reduce((sum, text) => sum + 7 + bytes(text), 4 + id.length + 2);

export const TECHNIQUES = [
  {
    name: 'Short polling',
    means: 'XMLHttpRequest',
    transport: 'short-polling',
    Client: ShortPolling,
    needs: 'XMLHttpRequest',
    says: 'Asks on a timer and is answered at once: news waits for the next request, and many requests are for nothing.',
    marker: 'M-10,0a10,10 0 1,0 20,0a10,10 0 1,0 -20,0z',
    polls: true,
    weighs: (id, payload) => line(id, payload) + 1,
  },
  {
    name: 'Long polling',
    means: 'XMLHttpRequest',
    transport: 'long-polling',
    Client: LongPolling,
    needs: 'XMLHttpRequest',
    says: 'Asks, and the server answers when there is news; then the page asks again. A message costs a request.',
    marker: 'M-9,-9h18v18h-18z',
    polls: true,
    holds: true,
    weighs: (id, payload) => line(id, payload) + 1,
  },
  {
    name: 'HTTP streaming',
    means: 'XMLHttpRequest',
    transport: 'http-streaming',
    Client: HttpStreaming,
    needs: 'XMLHttpRequest',
    says: 'Asks once; the answer never ends, a line a message. The browser keeps all of it, and tells of more only every 50 ms.',
    marker: 'M0,-12L12,9H-12z',
    holds: true,
    weighs: (id, payload) => chunk(line(id, payload) + 1),
  },
  {
    name: 'HTTP streaming',
    means: 'fetch',
    transport: 'http-streaming',
    Client: FetchStreaming,
    needs: 'TextDecoderStream',
    says: 'The same answer, read as a stream: each line is told at once, and what was read is gone from memory.',
    marker: 'M0,-12L12,9H-12z',
    hollow: true,
    holds: true,
    weighs: (id, payload) => chunk(line(id, payload) + 1),
  },
  {
    name: 'SSE',
    means: 'EventSource',
    transport: 'sse',
    Client: ServerSentEvents,
    needs: 'EventSource',
    says: 'Asks once; the answer is a stream of events that the browser reads, and comes back to, by itself.',
    marker: 'M0,-13L13,0L0,13L-13,0z',
    holds: true,
    weighs: (id, payload) => chunk(event(id, payload)),
  },
  {
    name: 'WebSocket',
    means: 'both ways',
    speaks: true,
    transport: 'websocket',
    Client: WebSocketClient,
    needs: 'WebSocket',
    says: 'One handshake, then both sides speak when they like. Coming back and resuming is for the page to do.',
    marker: 'M-10,-6L-6,-10L0,-4L6,-10L10,-6L4,0L10,6L6,10L0,4L-6,10L-10,6L-4,0z',
    weighs: (id, payload) => frame(line(id, payload)),
  },
];
