// What the Node checks share: a server of one's own, publishing, and the lines that are printed.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const DEADLINE_MS = 15_000;

/** Loads an npm package from where scripts/interop installed it. */
export const load = createRequire(join(import.meta.dirname, '../../target/interop/node/package.json'));

/** Starts the system's Chromium: what PUSHOFF_CHROMIUM names, or the first that there is. */
export function launchChromium(...flags) {
  const places = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join('/usr/bin', name));
  const executablePath = process.env.PUSHOFF_CHROMIUM || places.find(existsSync);
  // Chromium's own sandbox refuses to run as root, as which containers run.
  return load('playwright-core').chromium.launch({ executablePath, args: ['--no-sandbox', ...flags] });
}

/** Numbers from `first` to `last`. */
export const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Cursors of the same epoch as `origin`. */
export const cursors = (origin, sequences) => sequences.map((sequence) => `${origin.split('-')[0]}-${sequence}`);

/** Fails where `promise` takes too long. */
export async function within(promise, what, milliseconds = DEADLINE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class Server {
  constructor(process, ready) {
    this.process = process;
    this.http = ready.http;
    this.url = `http://${ready.http}`;
    /** Where it speaks TLS, if it does. */
    this.https = ready.https && `https://${ready.https}`;
    /** Where it is reached over each network. */
    this.networks = ready.networks ?? {};
  }

  async publish(topic, ...payloads) {
    const ids = [];
    for (const payload of payloads) {
      const response = await fetch(`${this.url}/topics/${topic}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof payload === 'string' ? payload : JSON.stringify(payload),
      });
      assert.equal(response.status, 201);
      ids.push((await response.json()).id);
    }
    return ids;
  }

  /** The cursor before the topic's first message. */
  async origin(topic) {
    const response = await fetch(`${this.url}/topics/${topic}/short-polling`);
    return `${response.headers.get('Last-Event-ID').split('-')[0]}-0`;
  }

  async complete(topic) {
    assert.equal((await fetch(`${this.url}/topics/${topic}`, { method: 'DELETE' })).status, 204);
  }

  /** Asks it to end and returns its exit code. */
  async stop() {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const [code] = await within(ended, 'the server to end');
    return code;
  }
}

/** The processes of the servers that a check started. Checks may run side by side. */
const serversOfCheck = new AsyncLocalStorage();

/** Runs `use` with a server that ends with it. */
export async function serve(flags, use, listen = '127.0.0.1:0') {
  const process_ = spawn(process.env.PUSHOFF, ['serve', '--listen', listen, '--raw-tcp', '127.0.0.1:0', ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  serversOfCheck.getStore()?.add(process_);
  try {
    const [line] = await within(once(createInterface(process_.stdout), 'line'), 'the readiness line');
    return await use(new Server(process_, JSON.parse(line)));
  } finally {
    process_.kill('SIGKILL');
  }
}

/** Runs each check and prints one line for each. */
export async function run(client, checks) {
  for (const [name, check] of Object.entries(checks)) {
    const servers = new Set();
    try {
      await within(serversOfCheck.run(servers, check), 'the whole check', 3 * DEADLINE_MS);
      console.log(`ok      ${client}: ${name}`);
    } catch (error) {
      const place = /([\w.]+\.mjs:\d+)/.exec(error.stack?.split('\n').find((line) => line.includes('.mjs:')) ?? '')?.[1];
      // fetch only says that it failed; why is in its cause.
      const why = error.cause ? `${error.message}: ${error.cause.message ?? error.cause}` : error.message;
      console.log(`FAILED  ${client}: ${name}: ${String(why).replaceAll('\n', ' ')} (${place})`);
    } finally {
      // A check that took too long still waits, and its server would keep this process from ending.
      for (const server of servers) server.kill('SIGKILL');
    }
  }
}
