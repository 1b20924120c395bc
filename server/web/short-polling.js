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
  #sent;
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
    this.#sent = performance.now();
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
    // The next beat after the request was sent: made up for at once where it passed before the answer came, and skipped
    // where the request itself was late, as in a hidden tab, whose timers the browser holds back.
    this.#due += this.#interval * (Math.floor(Math.max(0, this.#sent - this.#due) / this.#interval) + 1);
    this.connectIn(Math.max(0, this.#due - performance.now()));
  }
}
