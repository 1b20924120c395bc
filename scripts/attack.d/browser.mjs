// Foreign pages in a real Chromium: a name that is rebound to this machine, and a page of another site.
//
// Chromium takes evil.example for this machine, as it does when a resolver says so that an attacker owns.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { launchChromium, run, serve, within } from '../interop.d/pushoff.mjs';

const browser = await launchChromium('--host-resolver-rules=MAP evil.example 127.0.0.1');

/** Opens a page of evil.example, on a port of its own, and runs `use` with it, the port, and what ends its server. */
async function onForeignPage(use) {
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const leave = async () => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), 'close');
  };
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`http://evil.example:${port}/`);
    return await use(page, port, leave);
  } finally {
    await context.close();
    await leave();
  }
}

/** Tries all that a page can, and tells what came of it. Runs in the page. */
async function tryEverything(base) {
  const fetched = async (path, options) => {
    try {
      const response = await fetch(base + path, options);
      return response.type === 'opaque' ? 'opaque' : response.status;
    } catch {
      return 'failed';
    }
  };
  const json = { 'Content-Type': 'application/json' };
  const heard = (target, names) =>
    new Promise((resolve) => {
      for (const name of names) target.addEventListener(name, (event) => resolve(event.type));
      setTimeout(() => resolve('nothing'), 5000);
    });
  return {
    poll: await fetched('/topics/t/short-polling?after=start'),
    publish: await fetched('/topics/t', { method: 'POST', headers: json, body: '"stranger"' }),
    complete: await fetched('/topics/t', { method: 'DELETE' }),
    cut: await fetched('/outage/cut', { method: 'POST' }),
    event: await heard(new EventSource(`${base}/topics/t/sse?after=start`), ['open', 'message', 'error']),
    socket: await heard(new WebSocket(`${base.replace('http', 'ws')}/topics/t/websocket?after=start`), ['open', 'message', 'error']),
    blindPublish: await fetched('/topics/t', { method: 'POST', mode: 'no-cors', body: '"stranger"' }),
    blindPoll: await fetched('/topics/new/short-polling', { mode: 'no-cors' }),
  };
}

/** What the topic `t` keeps, and how many topics there are. */
async function state(server) {
  const lines = await (await fetch(`${server.url}/topics/t/short-polling?after=start`)).text();
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return { kept: lines.trim().split('\n').map((line) => JSON.parse(line).data), topics: Number(/^pushoff_topics (\d+)$/m.exec(metrics)[1]) };
}

const UNTOUCHED = { kept: ['own'], topics: 1 };

await run('strangers in Chromium', {
  'a name that was rebound to the server is answered 421 whatever its page asks': () =>
    onForeignPage(async (page, port, leave) => {
      await leave();
      await serve(['--demo'], async (server) => {
        await server.publish('t', '"own"');
        const base = `http://evil.example:${port}`;
        assert.deepEqual(await page.evaluate(tryEverything, base), {
          poll: 421, publish: 421, complete: 421, cut: 421, event: 'error', socket: 'error',
          // To what it takes for its own origin a page may send these as any other request.
          blindPublish: 421, blindPoll: 421,
        });
        assert.deepEqual(await state(server), UNTOUCHED);
        assert.equal((await page.goto(`${base}/`)).status(), 421);
      }, `127.0.0.1:${port}`);
    }),
  'a page of another site reads nothing and changes nothing': () =>
    serve(['--demo'], async (server) => {
      await server.publish('t', '"own"');
      await onForeignPage(async (page) => {
        assert.deepEqual(await page.evaluate(tryEverything, server.url), {
          poll: 'failed', publish: 'failed', complete: 'failed', cut: 'failed', event: 'error', socket: 'error',
          blindPublish: 'opaque', blindPoll: 'opaque',
        });
      });
      assert.deepEqual(await state(server), UNTOUCHED);
    }),
  'a page of another site cannot time what is published': () =>
    serve([], async (server) => {
      await server.publish('t', '"own"');
      await onForeignPage(async (page) => {
        // Nothing is published: a long poll that were let in would wait for two minutes.
        const asked = page.evaluate((url) => fetch(url, { mode: 'no-cors' }).then(({ type }) => type), `${server.url}/topics/t/long-polling?wait=120`);
        assert.equal(await within(asked, 'the refusal of a long poll'), 'opaque');
      });
    }),
  'the page of an allowed origin reads and publishes': () =>
    onForeignPage(async (page) => {
      const origin = await page.evaluate(() => location.origin);
      await serve(['--allow-origin', origin], async (server) => {
        await server.publish('t', '"own"');
        const { poll, publish, event, socket } = await page.evaluate(tryEverything, server.url);
        assert.deepEqual({ poll, publish, event, socket }, { poll: 200, publish: 201, event: 'open', socket: 'open' });
      });
    }),
});

await within(browser.close(), 'the browser to close');
