// A real browser: headless Chromium with its own EventSource, WebSocket and fetch.
//
// The page is the server's own /healthz where it must be of the same origin, and a blank page on
// another port where it must not. A relay stands between where a connection has to break.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';

import { cursors, launchChromium, numbers, run, serve, within } from './pushoff.mjs';
import { relay } from './relay.mjs';

const browser = await launchChromium();

/** Opens a page at `url` and runs `use` with it. */
async function onPage(url, use) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    // Runs in the page: an EventSource that keeps all that it hears where a test can wait for it.
    await page.evaluate(() => {
      globalThis.listen = (target) => {
        const heard = { messages: [], missed: [], opens: 0 };
        const source = new EventSource(target);
        source.onopen = () => { heard.opens += 1; };
        source.onmessage = ({ data, lastEventId }) => heard.messages.push([lastEventId, data]);
        source.addEventListener('missed', ({ data }) => heard.missed.push(data));
        Object.assign(globalThis, { source, heard });
      };
      globalThis.converse = (target) => {
        const said = { messages: [], closed: null };
        const socket = new WebSocket(target);
        socket.onmessage = ({ data }) => said.messages.push(data);
        socket.onclose = ({ code, wasClean }) => { said.closed = { code, wasClean }; };
        Object.assign(globalThis, { socket, said });
      };
    });
    return await use(page);
  } finally {
    await context.close();
  }
}

const heard = (page, count) =>
  page.waitForFunction((least) => globalThis.heard.messages.length >= least, count).then(() => page.evaluate(() => globalThis.heard.messages));

const said = (page, count) =>
  page.waitForFunction((least) => globalThis.said.messages.length >= least, count).then(() => page.evaluate(() => globalThis.said.messages.map((text) => JSON.parse(text))));

const closing = (page) =>
  page.waitForFunction(() => globalThis.said.closed).then((handle) => handle.jsonValue());

/** A blank page on a port of its own. */
async function elsewhere(use) {
  const server = createHttpServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

await run('Chromium EventSource', {
  'hears every message in order with its id and joins lines': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate((after) => listen(`/topics/t/sse?after=${after}`), origin);
        const published = await server.publish('t', ...numbers(1, 20), '[1,\r\n2]');
        const wanted = published.map((id, index) => [id, index < 20 ? String(index + 1) : '[1,\n2]']);
        assert.deepEqual(await heard(page, 21), wanted);
      });
    }),
  'reconnects with Last-Event-ID and loses nothing': () =>
    serve([], (server) =>
      relay(server.http, async ({ http, asked, cut }) => {
        const origin = await server.origin('t');
        await onPage(`http://${http}/healthz`, async (page) => {
          await page.evaluate((after) => listen(`/topics/t/sse?after=${after}`), origin);
          const published = await server.publish('t', ...numbers(1, 5));
          await heard(page, 5);
          cut();
          published.push(...await server.publish('t', ...numbers(6, 10)));
          assert.deepEqual((await heard(page, 10)).map(([id]) => id), published);
          const resumed = asked.filter((request) => request.toLowerCase().includes(`last-event-id: ${published[4]}`));
          assert.equal(resumed.length, 1, 'one reconnect with the last id');
        });
      })),
  'is told what it missed while it was away': () =>
    serve(['--replay', '2'], (server) =>
      relay(server.http, async ({ http, cut }) => {
        const origin = await server.origin('t');
        await onPage(`http://${http}/healthz`, async (page) => {
          await page.evaluate((after) => listen(`/topics/t/sse?after=${after}`), origin);
          const published = await server.publish('t', 1);
          await heard(page, 1);
          cut();
          published.push(...await server.publish('t', ...numbers(2, 6)));
          assert.deepEqual((await heard(page, 3)).map(([id]) => id), [published[0], published[4], published[5]]);
          assert.deepEqual(await page.evaluate(() => globalThis.heard.missed), ['3']);
        });
      })),
  'polls unchanged and loses nothing between two polls': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate((after) => listen(`/topics/t/sse?mode=short-polling&interval=20&after=${after}`), origin);
        const published = await server.publish('t', ...numbers(1, 15));
        assert.deepEqual((await heard(page, 15)).map(([id]) => id), published);
      });
    }),
  'is stopped for good by completion': () =>
    serve([], (server) =>
      relay(server.http, async ({ http, asked }) => {
        const origin = await server.origin('t');
        await onPage(`http://${http}/healthz`, async (page) => {
          await page.evaluate((after) => listen(`/topics/t/sse?after=${after}`), origin);
          await server.publish('t', 1);
          await heard(page, 1);
          await server.complete('t');
          await page.waitForFunction(() => globalThis.source.readyState === EventSource.CLOSED);
          assert.equal(asked.filter((request) => request.startsWith('GET /topics/t/sse')).length, 2);
        });
      })),
});

await run('Chromium WebSocket', {
  'speaks and hears in order': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate(() => converse('/topics/t/websocket'));
        assert.deepEqual(await said(page, 1), [{ open: origin }]);
        await page.evaluate(() => { for (let number = 1; number <= 20; number += 1) socket.send(String(number)); });
        const ids = cursors(origin, numbers(1, 20));
        assert.deepEqual((await said(page, 21)).slice(1), ids.map((id, index) => ({ id, data: index + 1 })));
      });
    }),
  'resumes by query': () =>
    serve([], async (server) => {
      const published = await server.publish('t', ...numbers(1, 5));
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate((after) => converse(`/topics/t/websocket?after=${after}`), published[1]);
        assert.deepEqual((await said(page, 4)).slice(1).map(({ id }) => id), published.slice(2));
      });
    }),
  'is closed cleanly by completion, by shutdown and by itself': () =>
    serve([], async (server) => {
      const close = (topic, act) =>
        onPage(`${server.url}/healthz`, async (page) => {
          await page.evaluate((name) => converse(`/topics/${name}/websocket`), topic);
          await said(page, 1);
          await act(page);
          return closing(page);
        });
      assert.deepEqual(await close('one', () => server.complete('one')), { code: 1000, wasClean: true });
      const byItself = await close('two', (page) => page.evaluate(() => socket.close(4001, 'enough')));
      assert.deepEqual(byItself, { code: 4001, wasClean: true });
      assert.deepEqual(await close('three', () => server.process.kill('SIGTERM')), { code: 1001, wasClean: true });
    }),
});

await run('Chromium with compression', {
  'agrees on permessage-deflate, speaks and hears in order': () =>
    serve(['--compress'], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate(() => converse('/topics/t/websocket'));
        assert.deepEqual(await said(page, 1), [{ open: origin }]);
        assert.match(await page.evaluate(() => socket.extensions), /^permessage-deflate/);
        const messages = numbers(1, 20).map((number) => `message ${number} of twenty, much as the others`);
        await page.evaluate((all) => { for (const message of all) socket.send(JSON.stringify(message)); }, messages);
        const ids = cursors(origin, numbers(1, 20));
        assert.deepEqual((await said(page, 21)).slice(1), ids.map((id, index) => ({ id, data: messages[index] })));
      });
    }),
  'has no extension where the server does not compress': () =>
    serve([], (server) =>
      onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate(() => converse('/topics/t/websocket'));
        await said(page, 1);
        assert.equal(await page.evaluate(() => socket.extensions), '');
      })),
  'hears each message of a compressed event stream when it is published': () =>
    serve(['--compress'], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        const answered = page.waitForResponse((response) => response.url().includes('/sse'));
        await page.evaluate((after) => listen(`/topics/t/sse?after=${after}`), origin);
        const published = [];
        for (const number of numbers(1, 5)) {
          published.push(...await server.publish('t', number));
          assert.deepEqual((await heard(page, number)).map(([id]) => id), published);
        }
        assert.match((await answered).headers()['content-encoding'] ?? '', /^(gzip|br|zstd)$/);
      });
    }),
});

/** What a page of another origin achieves by each way in. */
const attempt = (page, url) =>
  page.evaluate(async (base) => {
    const settled = (promise) => promise.then(() => 'let in', () => 'refused');
    const eventSource = new Promise((resolve, reject) => {
      const source = new EventSource(`${base}/topics/t/sse`);
      source.onopen = () => resolve(source.close());
      source.onerror = reject;
    });
    const webSocket = new Promise((resolve, reject) => {
      const socket = new WebSocket(`${base.replace('http', 'ws')}/topics/t/websocket`);
      socket.onopen = () => resolve(socket.close());
      socket.onerror = reject;
    });
    const poll = fetch(`${base}/topics/t/short-polling?after=start`, { headers: { 'Last-Event-ID': '00000000-1' } })
      .then((response) => response.headers.get('Last-Event-ID') ?? Promise.reject(new Error('no cursor to read')));
    const publish = fetch(`${base}/topics/t`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '2' })
      .then((response) => response.json());
    const outcomes = await Promise.all([eventSource, webSocket, poll, publish].map(settled));
    return Object.fromEntries(['eventSource', 'webSocket', 'poll', 'publish'].map((way, index) => [way, outcomes[index]]));
  }, url);

const everyWay = (outcome) => ({ eventSource: outcome, webSocket: outcome, poll: outcome, publish: outcome });

await run('Chromium across origins', {
  'refuses a page of another origin': () =>
    elsewhere((origin) =>
      serve([], async (server) => {
        const published = await server.publish('t', 1);
        await onPage(origin, async (page) => assert.deepEqual(await attempt(page, server.url), everyWay('refused')));
        const poll = await fetch(`${server.url}/topics/t/short-polling`);
        assert.equal(poll.headers.get('Last-Event-ID'), published[0], 'nothing was published');
      })),
  'lets in a page whose origin is allowed': () =>
    elsewhere((origin) =>
      serve(['--allow-origin', origin], async (server) => {
        await server.publish('t', 1);
        await onPage(origin, async (page) => assert.deepEqual(await attempt(page, server.url), everyWay('let in')));
      })),
});

await run('Chromium fetch', {
  'reads a stream as it comes': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await onPage(`${server.url}/healthz`, async (page) => {
        await page.evaluate((after) => {
          globalThis.said = { messages: [], ended: false };
          (async () => {
            const { body } = await fetch(`/topics/t/http-streaming?after=${after}`);
            const reader = body.pipeThrough(new TextDecoderStream()).getReader();
            for (let rest = ''; ;) {
              const { value, done } = await reader.read();
              if (done) break;
              const lines = (rest + value).split('\n');
              rest = lines.pop();
              said.messages.push(...lines.filter(Boolean));
            }
            said.ended = true;
          })();
        }, origin);
        await said(page, 1);
        for (const number of numbers(1, 5)) {
          const [id] = await server.publish('t', number);
          assert.deepEqual((await said(page, number + 1)).at(-1), { id, data: number });
        }
        await server.complete('t');
        await page.waitForFunction(() => globalThis.said.ended);
      });
    }),
});

await within(browser.close(), 'the browser to close');
