// WebSocket: frames in both directions on one connection.
//
// A browser neither reconnects a WebSocket nor resumes it, so both are done here: `?after=` says what was seen last.
// `close` tells why it ended: 1000 the topic is complete, 1001 the server is going away, 1006 it broke without a word.

import { Client, NONSENSE } from './client.js';

/** Codes after which another try would end in the same way: complete, or the fault of what was sent (RFC 6455 §7.4). */
const FINAL = [1000, 1002, 1003, 1007, 1008, 1009];

export class WebSocketClient extends Client {
  #socket;
  #isLeaving = false;

  constructor(topicUrl, options) {
    super(topicUrl, options);
    this.connect();
  }

  get readyState() {
    return this.#socket.readyState;
  }

  connect() {
    const url = this.url('websocket');
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => {
      if (this.took(data)) return;
      socket.onclose = null;
      socket.close();
      this.failed(NONSENSE);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      if (this.#isLeaving || FINAL.includes(code)) this.ended(code, reason, wasClean);
      else this.failed(reason || `the connection closed with ${code}`);
    };
    this.#socket = socket;
  }

  /** Resolves when the frame is handed over: nothing confirms it but that it is heard, like any message. */
  async send(payload) {
    // A page cannot give a handshake the token that publishing may take.
    if (this.token) return super.send(payload);
    if (this.readyState !== WebSocket.OPEN) throw new Error('the connection is not open');
    return this.#socket.send(JSON.stringify(payload));
  }

  /** Closes with a handshake, and tells of it when the server has answered. */
  close() {
    this.#isLeaving = true;
    if (this.readyState === WebSocket.CLOSED) super.close();
    else this.#socket.close(1000, 'closed by the page');
  }

  disconnect() {
    this.#socket.close();
  }
}
