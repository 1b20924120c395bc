// Publishes at a constant rate, one POST at a time: what falls due while one is under way goes along with the next.
//
// When message i is due depends on i alone. A server that stalls delays its own messages, and they carry the time at
// which they were due: they show up late, not missing. Waiting for each answer costs one connection instead of one a message.

/** How many messages may wait. Beyond it they are given up, and remembered by their numbers. */
const MOST_WAITING = 2000;

export class Publisher {
  #url;
  #token;
  #compose;
  #period;
  #waiting = [];
  #isSending = false;
  #timer;
  #start;
  #next = 0;
  #givenUp = [];
  sent = 0;
  refusal = '';

  /** `compose(index, due)` makes the payload of a message, or nothing once there are no more. */
  constructor(topicUrl, { rate, token, compose }) {
    this.#url = topicUrl;
    this.#token = token;
    this.#compose = compose;
    this.#period = rate > 0 ? 1000 / rate : Infinity;
  }

  /** Milliseconds from one message to the next. */
  get period() {
    return this.#period;
  }

  get givenUp() {
    return this.#givenUp.length;
  }

  /** How many of the messages numbered `first` to `last` were given up: nobody can hear those. */
  givenUpWithin(first, last) {
    return this.#givenUp.filter((number) => number >= first && number <= last).length;
  }

  /** Begins, or goes on where it paused. */
  start() {
    if (this.#period === Infinity) return;
    this.#start = performance.now() - this.#next * this.#period;
    this.#tick();
  }

  pause() {
    clearTimeout(this.#timer);
  }

  /** Sends a payload of the reader's own, now. */
  say(payload) {
    this.#put(payload);
  }

  /** Runs `act` while nothing is being published: a cut must not leave in doubt what was. */
  async quietly(act) {
    while (this.#isSending) await this.#isSending;
    this.#isSending = act();
    try {
      return await this.#isSending;
    } finally {
      this.#isSending = false;
      this.#flush();
    }
  }

  #tick() {
    for (let due; (due = this.#start + this.#next * this.#period) <= performance.now();) {
      const payload = this.#compose(this.#next, due);
      if (payload === null) return;
      this.#put(payload);
      this.#next += 1;
    }
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#start + this.#next * this.#period - performance.now()));
  }

  #put(payload) {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(payload);
    else this.#giveUp([payload]);
    this.#flush();
  }

  async #flush() {
    if (this.#isSending || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0);
    this.#isSending = this.#post(batch);
    await this.#isSending;
    this.#isSending = false;
    this.#flush();
  }

  #giveUp(payloads) {
    for (const { n } of payloads) this.#givenUp.push(n);
  }

  async #post(batch) {
    const headers = { 'Content-Type': 'application/x-ndjson' };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    try {
      const response = await fetch(this.#url, { method: 'POST', headers, body: batch.map((payload) => JSON.stringify(payload)).join('\n') });
      if (response.ok) this.sent += batch.length;
      else this.#giveUp(batch);
      this.refusal = response.ok ? '' : await problem(response);
    } catch {
      this.#giveUp(batch);
      this.refusal = 'the server cannot be reached';
    }
  }
}

/** What a refusal says of itself: not every proxy answers in JSON. */
export async function problem(response) {
  const { detail } = await response.json().catch(() => ({}));
  return detail ?? `the server answered ${response.status}`;
}
