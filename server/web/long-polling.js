// Long polling: an XMLHttpRequest that is answered when there is something to say, and asks again from its callback.
//
// A message that finds the request waiting comes at once; one that comes while the client is asking again waits for
// that. The server answers after `wait` seconds in any case, before some proxy on the way loses patience (RFC 6202 §5.5).

import { Client } from './client.js';

/** How much longer than the server's wait an answer may take. */
const PATIENCE_MS = 10_000;

export class LongPolling extends Client {
  #wait;
  #request;

  /** `wait`: seconds after which a request is answered even without news, at most 120. */
  constructor(topicUrl, { wait = 25, ...options } = {}) {
    super(topicUrl, options);
    this.#wait = wait;
    this.connect();
  }

  connect() {
    // The first is answered at once: it says that the server is there, and from which cursor to wait. Later ones wait
    // for a time of their own: of equal requests Chromium sends one at a time, in case the answer is for its cache.
    const wait = this.isOpen ? this.#wait * (1 - Math.random() / 10) : 0;
    const request = new XMLHttpRequest();
    request.open('GET', this.url('long-polling', { wait }));
    request.timeout = 1000 * wait + PATIENCE_MS;
    request.onload = () => this.#answered(request);
    request.onerror = () => this.failed('the request broke off');
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
    if (this.answered(request) && !this.isOver) this.connect();
  }
}
