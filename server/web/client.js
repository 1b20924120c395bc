// What the six clients share: where a subscriber stands, when it tries again, and what it tells.
//
// A subscriber is a cursor: whatever breaks, it asks again from there, and the server sends what it has not seen or says
// how much of it is gone. Each failure in a row doubles the wait, and half of it is drawn by lot, so that a thousand
// pages whose server restarts do not come back in the same moment.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** How long the server may think about whether a topic is complete. */
const PATIENCE_MS = 10_000;

/** A line or frame with a message. The payload is cut out as it stands: parsing would round large numbers. */
const MESSAGE = /^\{"id":"([^"]+)","data":(.*)\}$/s;

/** Why a client begins anew that was sent what no server of this kind sends. */
export const NONSENSE = 'what came is no message of this server';

export class Client extends EventTarget {
  #failures = 0;
  #timer;

  constructor(topicUrl, { after = null, token = null } = {}) {
    super();
    this.topicUrl = new URL(topicUrl, location.href).href;
    this.cursor = after;
    this.token = token;
    this.isOpen = false;
    this.isOver = false;
  }

  /** Publishes beside whatever receives, and resolves to the message's cursor. */
  async send(payload) {
    const headers = { 'Content-Type': 'application/json' };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const response = await fetch(this.topicUrl, { method: 'POST', headers, body: JSON.stringify(payload) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    return answer.id;
  }

  close() {
    this.ended(1000, 'closed by the page');
  }

  /** Where a technique continues from here. */
  url(transport, query = {}) {
    const url = new URL(`${this.topicUrl}/${transport}`);
    for (const [name, value] of Object.entries({ after: this.cursor, ...query })) {
      if (value !== null && value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  }

  connectIn(milliseconds) {
    if (!this.isOver) this.#timer = setTimeout(() => this.connect(), milliseconds);
  }

  opened() {
    if (this.isOpen || this.isOver) return;
    this.isOpen = true;
    this.#failures = 0;
    this.dispatchEvent(new Event('open'));
  }

  /** One line or frame of JSON: a message, a notice, or where a stream begins. Whether it could be understood. */
  took(text) {
    const [, id, payload] = MESSAGE.exec(text) ?? [];
    if (id) {
      this.message(id, payload);
      return true;
    }
    const notice = parsed(text);
    if (!notice) return false;
    const { missed, id: before, open } = notice;
    if (missed !== undefined) this.missed(missed, before);
    if (open) this.cursor = open;
    this.opened();
    return true;
  }

  /** The lines of an answer to a poll, and the cursor to ask with next. Whether all could be understood. */
  answered(request) {
    this.opened();
    const isUnderstood = request.responseText.split('\n').every((line) => !line || this.took(line));
    // Also where nothing came: without it, what is published before the next poll would be lost. A proxy may have cut it.
    if (isUnderstood) this.cursor = request.getResponseHeader('Last-Event-ID') ?? this.cursor;
    else this.failed(NONSENSE);
    return isUnderstood;
  }

  message(cursor, payload) {
    if (this.isOver) return;
    this.cursor = cursor;
    this.dispatchEvent(new MessageEvent('message', { data: payload, lastEventId: cursor }));
  }

  /** So many messages up to `cursor` were missed; one who resumes there is not told again. */
  missed(count, cursor) {
    if (cursor) this.cursor = cursor;
    if (!this.isOver) this.dispatchEvent(new CustomEvent('missed', { detail: count }));
  }

  /** The connection is gone, and another is tried after a wait of at least `wait` ms. */
  failed(reason, wait = 0) {
    if (this.isOver) return;
    const backOff = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    const retryIn = Math.max(wait, backOff * (1 + Math.random()) / 2);
    this.connectIn(retryIn);
    this.waits(reason, retryIn);
  }

  waits(reason, retryIn) {
    this.isOpen = false;
    this.dispatchEvent(new CustomEvent('error', { detail: { reason, retryIn } }));
  }

  ended(code, reason, wasClean = true) {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    clearTimeout(this.#timer);
    this.disconnect();
    this.dispatchEvent(new CustomEvent('close', { detail: { wasClean, code, reason } }));
  }

  /** Whether an answer is the end, or leaves hope: 410 is a complete topic, other 4xx would be the same again. */
  judge(status, reason, retryAfter) {
    if (status === 410) this.ended(status, 'the topic is complete');
    else if (status >= 400 && status < 500 && status !== 408 && status !== 429) this.ended(status, reason, false);
    else this.failed(reason, 1000 * (Number(retryAfter) || 0));
  }

  /** Asks why a stream is over: it ends in the same way with its topic and with its server. A poll can say. */
  async askWhy(reason) {
    const ask = { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE_MS) };
    const answer = await fetch(this.url('short-polling'), ask).catch(() => null);
    const why = answer?.status >= 400 ? `the server answered ${answer.status}` : reason;
    this.judge(answer?.status ?? 0, why, answer?.headers.get('Retry-After'));
  }
}

/** An object of JSON, or nothing. */
function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return null;
  }
}
