// HTTP streaming with XMLHttpRequest: one response that never ends, a line of JSON a message.
//
// At `readyState` 3 the text so far is there to be read, and grows; what lies beyond the last line taken is new. The
// request keeps all of it until it is done, so a stream that has grown long is left and continued in a new one. Browsers
// tell of new text at most about every 50 ms (WHATWG XHR, `send()`): a message may wait that long here, and not with fetch.

import { Client, NONSENSE } from './client.js';

/** How much text one request may keep. Chosen here: reading it costs the more, the more there is. */
const LONGEST_TEXT = 4 << 20;

/** The server says something every 15 s; a connection that is silent for three times that is dead. */
const SILENCE_MS = 45_000;

export class HttpStreaming extends Client {
  #request;
  #taken = 0;
  #watch;

  constructor(topicUrl, options) {
    super(topicUrl, options);
    this.connect();
  }

  /** The characters of the response that the browser keeps, read or not. */
  get kept() {
    return this.#request.responseText.length;
  }

  connect() {
    const request = new XMLHttpRequest();
    request.open('GET', this.url('http-streaming'));
    request.onreadystatechange = () => {
      if (request.readyState === 3 && request.status === 200) this.#grown(request.responseText);
    };
    request.onload = () => this.#finished(request);
    request.onerror = () => this.#broke('the stream broke off');
    this.#request = request;
    this.#taken = 0;
    this.#listen();
    request.send();
  }

  disconnect() {
    clearTimeout(this.#watch);
    this.#request.abort();
  }

  #grown(text) {
    this.#listen();
    if (!this.#take(text)) {
      this.#broke(NONSENSE);
    } else if (text.length > LONGEST_TEXT && !this.isOver) {
      this.disconnect();
      this.connect();
    }
  }

  /** Takes the lines that are new and whole. Whether all could be understood. */
  #take(text) {
    for (let end; (end = text.indexOf('\n', this.#taken)) >= 0 && !this.isOver;) {
      const line = text.slice(this.#taken, end);
      this.#taken = end + 1;
      if (line && !this.took(line)) return false;
    }
    return true;
  }

  /** `readyState` 4: the server ended the response, or refused to begin one. */
  #finished(request) {
    const { status } = request;
    clearTimeout(this.#watch);
    if (status === 200 && !this.#take(request.responseText)) this.failed(NONSENSE);
    else if (status === 200) this.askWhy('the stream ended');
    else this.judge(status, `the server answered ${status}`, request.getResponseHeader('Retry-After'));
  }

  #listen() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#broke('the stream fell silent'), SILENCE_MS);
  }

  #broke(reason) {
    this.disconnect();
    this.failed(reason);
  }
}
