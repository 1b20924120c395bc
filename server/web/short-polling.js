// Short polling: an XMLHttpRequest on a timer, answered at once, with news or without.
//
// What happens between two requests waits for the next one: half the interval in the mean. Nothing is held open, so
// there is hardly anything that can break, and a poll that fails is simply asked again from the same cursor.

import { Client } from './client.js';

/** An answer that has not come by then will not come. */
const PATIENCE_MS = 30_000;

export class ShortPolling extends Client {
  #interval;
  #request;

  /** `interval`: milliseconds from one request to the next. */
  constructor(topicUrl, { interval = 1000, ...options } = {}) {
    super(topicUrl, options);
    this.#interval = interval;
    this.connect();
  }

  connect() {
    const due = performance.now() + this.#interval;
    const request = new XMLHttpRequest();
    request.open('GET', this.url('short-polling'));
    request.timeout = PATIENCE_MS;
    request.onload = () => this.#answered(request, due);
    request.onerror = () => this.failed('the request failed');
    request.ontimeout = () => this.failed('no answer came');
    request.send();
    this.#request = request;
  }

  disconnect() {
    this.#request.abort();
  }

  #answered(request, due) {
    const { status, responseText } = request;
    if (status !== 200 && status !== 204) {
      this.judge(status, `the server answered ${status}`, request.getResponseHeader('Retry-After'));
      return;
    }
    this.opened();
    for (const line of responseText.split('\n')) if (line) this.took(line);
    // Also where nothing came: without it, what is published before the next poll would be lost.
    this.cursor = request.getResponseHeader('Last-Event-ID');
    this.connectIn(Math.max(0, due - performance.now()));
  }
}
