// Short polling: an XMLHttpRequest on a timer, answered at once, with news or without.
//
// What happens between two requests waits for the next one: half the interval in the mean. Nothing is held open, so
// there is hardly anything that can break, and a poll that fails is simply asked again from the same cursor.

import { Client } from './client.js';

/** An answer that has not come by then will not come. */
const PATIENCE_MS = 30_000;

export class ShortPolling extends Client {
  #interval;
  #due = performance.now();
  #request;

  /** `interval`: milliseconds from one request to the next. */
  constructor(topicUrl, { interval = 1000, ...options } = {}) {
    super(topicUrl, options);
    this.#interval = interval;
    this.connect();
  }

  connect() {
    const request = new XMLHttpRequest();
    request.open('GET', this.url('short-polling'));
    request.timeout = PATIENCE_MS;
    request.onload = () => this.#answered(request);
    request.onerror = () => this.failed('the request failed');
    request.ontimeout = () => this.failed('no answer came');
    request.send();
    this.#request = request;
  }

  disconnect() {
    this.#request.abort();
  }

  #answered(request) {
    const { status } = request;
    if (status !== 200 && status !== 204) {
      this.judge(status, `the server answered ${status}`, request.getResponseHeader('Retry-After'));
      return;
    }
    if (!this.answered(request)) return;
    // A beat that passed meanwhile is made up for at once, and those after it keep their times.
    const now = performance.now();
    this.#due += this.#interval;
    if (this.#due < now) this.#due += this.#interval * Math.floor((now - this.#due) / this.#interval);
    this.connectIn(Math.max(0, this.#due - now));
  }
}
