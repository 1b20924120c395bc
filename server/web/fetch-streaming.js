// HTTP streaming with fetch: the same response, read from a ReadableStream as it comes.
//
// What was read is gone: the page keeps no more than the line that is not finished yet, however long the stream is.

import { Client, NONSENSE } from './client.js';

/** The server says something every 15 s; a connection that is silent for three times that is dead. */
const SILENCE_MS = 45_000;

export class FetchStreaming extends Client {
  #abort;
  #rest = '';
  #watch;

  constructor(topicUrl, options) {
    super(topicUrl, options);
    this.connect();
  }

  /** The characters that are kept: those of a line that has only begun. */
  get kept() {
    return this.#rest.length;
  }

  async connect() {
    const abort = new AbortController();
    this.#abort = abort;
    this.#rest = '';
    this.#listen();
    try {
      const response = await fetch(this.url('http-streaming'), { signal: abort.signal });
      if (response.ok) {
        await this.#read(response.body.pipeThrough(new TextDecoderStream()).getReader());
        await this.askWhy('the stream ended');
      } else {
        this.judge(response.status, `the server answered ${response.status}`, response.headers.get('Retry-After'));
      }
    } catch {
      const reason = abort.signal.reason?.message ?? 'the stream broke off';
      abort.abort();
      this.failed(reason);
    } finally {
      if (abort === this.#abort) clearTimeout(this.#watch);
    }
  }

  disconnect() {
    clearTimeout(this.#watch);
    this.#abort.abort();
  }

  async #read(reader) {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.isOver) return;
      this.#listen();
      const lines = (this.#rest + value).split('\n');
      this.#rest = lines.pop();
      if (!lines.every((line) => !line || this.took(line))) this.#abort.abort(new Error(NONSENSE));
    }
  }

  #listen() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#abort.abort(new Error('the stream fell silent')), SILENCE_MS);
  }
}
