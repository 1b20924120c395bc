// Server-Sent Events with EventSource: the browser finds the events in the stream, and comes back by itself.
//
// It waits the `retry:` of the server, says in `Last-Event-ID` what it saw last, and stops for good at any answer but
// 200: at the 204 of a complete topic, but also at a 503 that lasts a second, and it does not tell which. Hence this asks.
// A first connection cannot carry that header: `?after=` says the same. A stream that dies for good before its first
// message begins anew from where it was asked to, because until then the browser alone knows its place.

import { Client } from './client.js';

/** What the server's `retry:` says unless `interval` does. */
const RETRY_MS = 1000;

export class ServerSentEvents extends Client {
  #query;
  #source;

  /**
   * `mode`: `long-polling` or `short-polling` make the server end each response, and the browser poll; then `interval`
   * is the milliseconds between two polls, and `wait` the seconds that a long one may take.
   */
  constructor(topicUrl, { mode, interval, wait, ...options } = {}) {
    super(topicUrl, options);
    this.#query = mode && mode !== 'streaming' ? { mode, interval, wait } : {};
    this.connect();
  }

  connect() {
    const source = new EventSource(this.url('sse', this.#query));
    source.onopen = () => this.opened();
    source.onmessage = ({ data, lastEventId }) => this.message(lastEventId, data);
    source.addEventListener('missed', ({ data, lastEventId }) => this.missed(JSON.parse(data), lastEventId));
    source.onerror = () => this.#broke(source);
    this.#source = source;
  }

  disconnect() {
    this.#source.close();
  }

  #broke({ readyState }) {
    const polls = this.#query.mode && this.#query.mode !== 'streaming';
    if (readyState === EventSource.CLOSED) this.askWhy('the event stream ended');
    // Where it polls, each response ends like this.
    else if (!polls) this.waits('the event stream broke off', RETRY_MS);
  }
}
