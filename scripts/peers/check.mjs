// The peers from outside: each technique in order, from where one was, and an end that leaves nothing.
//
// A payload is {"n":NUMBER}; what a technique wraps around it is cut away here, and the numbers are
// compared.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { numbers, run, within } from '../interop.d/pushoff.mjs';

const here = import.meta.dirname;
const { WebSocket } = createRequire(join(here, '../../target/peers/node-ws/'))('ws');

const KEPT = 1024;
// However busy the machine is.
const END_MS = 5_000;

const PEERS = {
  nchan: {
    publish: (topic) => `/publish?topic=${topic}`,
    subscribe: (technique, topic) => `/${technique}?topic=${topic}`,
    polls: ['short-polling', 'long-polling'],
    streams: ['http-streaming', 'sse', 'websocket'],
    resumes: ['sse'],
  },
  'node-ws': {
    publish: (topic) => `/topics/${topic}`,
    subscribe: (technique, topic) => `/topics/${topic}/${technique}`,
    polls: [],
    streams: ['sse', 'websocket'],
    resumes: ['sse', 'websocket'],
  },
};

const HEADERS = { 'http-streaming': { TE: 'chunked' }, sse: { Accept: 'text/event-stream' } };
const found = (text) => [...text.matchAll(/\{"n":(\d+)\}/g)].map(([, number]) => Number(number));

/** Runs `use` with a peer, whose temporary files all go where nothing else is. */
async function serve(peer, use) {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'pushoff-check-'));
  const child = spawn(join(here, peer), { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, TMPDIR }, detached: true });
  const exit = once(child, 'exit');
  try {
    const [line] = await within(once(createInterface(child.stdout), 'line'), 'the readiness line');
    const ready = JSON.parse(line);
    assert.match(ready.server, peer === 'nchan' ? /^nginx\/\S+ nchan \S+$/ : /^node \S+ ws \S+$/);
    return await use({ ...PEERS[peer], ...ready, child, exit, TMPDIR });
  } finally {
    await end(child, exit);
    rmdirSync(TMPDIR);
  }
}

/** Ends a peer that a check has not ended itself, so that its folder is gone too. */
async function end(child, exit) {
  child.stdin.end();
  child.kill('SIGTERM');
  await within(exit, 'the peer to end').catch(() => process.kill(-child.pid, 'SIGKILL'));
}

/** A request that is answered at once. */
async function request(server, path, options = {}, body = '') {
  const sent = http.request(`http://${server.http}${path}`, options).end(body);
  const [response] = await within(once(sent, 'response'), `an answer from ${path}`);
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return { status: response.statusCode, headers: response.headers, text };
}

async function publish(server, topic, messages) {
  for (const n of messages) {
    const headers = { 'Content-Type': 'application/json' };
    const { status } = await request(server, server.publish(topic), { method: 'POST', headers }, `{"n":${n}}`);
    assert.ok(status === 201 || status === 202, `published: ${status}`);
  }
}

/** A polling client: `poll()` is the next response, from where the last one ended. */
function poller(server, technique, topic) {
  let headers = {};
  return async () => {
    const response = await request(server, server.subscribe(technique, topic), { headers });
    const { etag, 'last-modified': modified } = response.headers;
    if (response.status === 200) headers = { 'If-None-Match': etag, 'If-Modified-Since': modified };
    return { status: response.status, numbers: found(response.text) };
  };
}

/** Polls until `count` messages have come. */
async function polled(poll, count) {
  const received = [];
  while (received.length < count) received.push(...(await poll()).numbers);
  return received;
}

/** A stream that is open: `until(count)` is what has come once there is so much; `closed` its end. */
async function open(server, technique, topic, more = {}) {
  const path = server.subscribe(technique, topic);
  const headers = { ...HEADERS[technique], ...more };
  const received = [];
  let arrived = resolvers();
  const take = (numbers) => {
    received.push(...numbers);
    arrived.resolve();
    arrived = resolvers();
  };
  const until = async (count) => {
    while (received.length < count) await within(arrived.promise, `message ${received.length + 1} of ${count}`);
    return received;
  };
  if (technique === 'websocket') {
    const socket = new WebSocket(`ws://${server.http}${path}`, { headers });
    socket.on('message', (bytes) => take(found(bytes.toString())));
    const closed = once(socket, 'close');
    await within(once(socket, 'open'), 'the handshake');
    return { until, closed, leave: () => socket.terminate() };
  }
  const sent = http.get(`http://${server.http}${path}`, { headers, agent: false });
  const [response] = await within(once(sent, 'response'), `an answer from ${path}`);
  let rest = '';
  response.setEncoding('utf8').on('data', (part) => {
    const whole = rest + part;
    const cut = whole.lastIndexOf('}') + 1;
    rest = whole.slice(cut);
    take(found(whole.slice(0, cut)));
  });
  const closed = new Promise((resolve) => response.on('error', () => {}).on('close', resolve));
  return { until, closed, leave: () => sent.destroy() };
}

function resolvers() {
  let resolve;
  const promise = new Promise((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}

/** Nobody listens there any more, no process of the group is left, and no file. */
async function assertGone(server) {
  const [, port] = server.http.split(':');
  const [error] = await within(once(net.connect(port, '127.0.0.1'), 'error'), 'a refusal');
  assert.equal(error.code, 'ECONNREFUSED');
  assert.throws(() => process.kill(-server.child.pid, 0), { code: 'ESRCH' });
  assert.deepEqual(readdirSync(server.TMPDIR), []);
}

for (const [peer, { polls, streams, resumes }] of Object.entries(PEERS)) {
  const checks = {};
  for (const technique of polls) {
    checks[`${technique} gives all in order and goes on from there`] = () =>
      serve(peer, async (server) => {
        await publish(server, 't', numbers(1, 20));
        const poll = poller(server, technique, 't');
        assert.deepEqual(await polled(poll, 20), numbers(1, 20));
        if (technique === 'short-polling') assert.equal((await poll()).status, 304);
        const next = polled(poll, 5);
        await publish(server, 't', numbers(21, 25));
        assert.deepEqual(await next, numbers(21, 25));
      });
  }
  for (const technique of streams) {
    checks[`${technique} gives what is kept and then what comes, in order`] = () =>
      serve(peer, async (server) => {
        await publish(server, 't', numbers(1, KEPT + 6));
        const stream = await open(server, technique, 't');
        await stream.until(KEPT);
        await publish(server, 't', numbers(KEPT + 7, KEPT + 20));
        assert.deepEqual(await stream.until(KEPT + 14), numbers(7, KEPT + 20));
        stream.leave();
      });
  }
  for (const technique of resumes) {
    checks[`${technique} goes on after Last-Event-ID`] = () =>
      serve(peer, async (server) => {
        await publish(server, 't', numbers(1, 5));
        // The third message's id, as an event says it.
        const sent = http.get(`http://${server.http}${server.subscribe('sse', 't')}`, { headers: HEADERS.sse, agent: false });
        let text = '';
        for await (const part of (await once(sent, 'response'))[0].setEncoding('utf8')) {
          if (found((text += part)).includes(5)) break;
        }
        const [, id] = /id: (\S+)\n(?:[^\n]+\n)*data: \{"n":3\}\n/.exec(text);
        const stream = await open(server, technique, 't', { 'Last-Event-ID': id });
        await publish(server, 't', [6]);
        assert.deepEqual(await stream.until(3), numbers(4, 6));
        stream.leave();
      });
  }
  for (const [how, ask] of [
    ['SIGTERM', ({ child }) => child.kill('SIGTERM')],
    ['its standard input', ({ child }) => child.stdin.end()],
  ]) {
    checks[`ends with ${how} in good time, with its streams, and leaves nothing`] = () =>
      serve(peer, async (server) => {
        const open_ = await Promise.all(streams.map((technique) => open(server, technique, 't')));
        ask(server);
        const [code] = await within(server.exit, 'the end', END_MS);
        assert.equal(code, 0);
        await within(Promise.all(open_.map(({ closed }) => closed)), 'the streams to end');
        await assertGone(server);
      });
  }
  await run(peer, checks);
}
