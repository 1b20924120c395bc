// Headless Chromium over HTTP/2: ten tabs with a stream each, which HTTP/1.1's six connections would not let through, and
// a WebSocket on the connection that they share.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { launchChromium, numbers, run, serve, within } from './pushoff.mjs';

const browser = await launchChromium();

/** TCP connections to a port of this machine that are established, as the port's side sees them. */
const connections = (port) =>
  readFileSync('/proc/net/tcp', 'utf8').split('\n').filter((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === '01' && parseInt(local?.split(':')[1], 16) === port;
  }).length;

const onPages = (count, use, flags = []) =>
  serve(['--tls', 'self-signed', ...flags], async (server) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    try {
      const pages = await Promise.all(numbers(1, count).map(() => context.newPage()));
      await Promise.all(pages.map((page) => page.goto(`${server.https}/healthz`)));
      return await use(pages, server);
    } finally {
      await context.close();
    }
  });

await run('Chromium over HTTP/2', {
  'ten tabs with an EventSource each hear every message, on one connection': () =>
    onPages(10, async (pages, server) => {
      await Promise.all(pages.map((page) => page.evaluate(() => new Promise((opened) => {
        globalThis.heard = [];
        const source = new EventSource('/topics/t/sse');
        source.onopen = opened;
        source.onmessage = ({ data }) => globalThis.heard.push(data);
      }))));
      await server.publish('t', 1, 2, 3);
      for (const page of pages) {
        await page.waitForFunction(() => globalThis.heard.length >= 3);
        assert.deepEqual(await page.evaluate(() => globalThis.heard), ['1', '2', '3']);
      }
      const protocol = await pages[0].evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol);
      assert.equal(protocol, 'h2');
      assert.equal(connections(Number(new URL(server.https).port)), 1);
    }),

  'a WebSocket is asked for by extended CONNECT, on the same connection': () =>
    onPages(1, async ([page], server) => {
      await page.evaluate(() => new Promise((opened) => {
        globalThis.heard = [];
        globalThis.socket = new WebSocket(`wss://${location.host}/topics/t/websocket`);
        globalThis.socket.onopen = opened;
        globalThis.socket.onmessage = ({ data }) => globalThis.heard.push(JSON.parse(data));
      }));
      await page.evaluate(() => globalThis.socket.send('{"said":1}'));
      await server.publish('t', 2);
      await page.waitForFunction(() => globalThis.heard.length >= 3);
      assert.deepEqual((await page.evaluate(() => globalThis.heard)).slice(1).map(({ data }) => data), [{ said: 1 }, 2]);
      assert.equal(connections(Number(new URL(server.https).port)), 1);
    }),

  'a WebSocket over HTTP/2 agrees on permessage-deflate': () =>
    onPages(1, async ([page], server) => {
      await page.evaluate(() => new Promise((opened) => {
        globalThis.heard = [];
        globalThis.socket = new WebSocket(`wss://${location.host}/topics/t/websocket`);
        globalThis.socket.onopen = opened;
        globalThis.socket.onmessage = ({ data }) => globalThis.heard.push(JSON.parse(data));
      }));
      assert.match(await page.evaluate(() => globalThis.socket.extensions), /^permessage-deflate/);
      await page.evaluate(() => globalThis.socket.send('{"said":"again and again and again"}'));
      await page.waitForFunction(() => globalThis.heard.length >= 2);
      assert.deepEqual(await page.evaluate(() => globalThis.heard[1].data), { said: 'again and again and again' });
      assert.equal(connections(Number(new URL(server.https).port)), 1);
    }, ['--compress']),

  'the live page has all its lanes at once': () =>
    serve(['--tls', 'self-signed'], async (server) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      await page.goto(server.https);
      await page.waitForFunction(() => document.querySelector('#wall').textContent.includes('on one connection'));
      const isHeard = () => [...document.querySelectorAll('.lane dd.messages')].every(({ textContent }) => Number.parseInt(textContent, 10) > 0);
      await page.waitForFunction(isHeard);
      await context.close();
    }),
});

await within(browser.close(), 'the browser to close');
