// The npm package `eventsource`.

import assert from 'node:assert/strict';

import { load, numbers, run, serve, within } from './pushoff.mjs';

const { EventSource } = load('eventsource');

/** Collects `count` messages and leaves the source open. */
function collect(source, count) {
  const received = [];
  return within(
    new Promise((resolve) => {
      source.addEventListener('message', ({ data, lastEventId }) => {
        received.push([lastEventId, data]);
        if (received.length === count) resolve(received);
      });
    }),
    `${count} messages`,
  );
}

const closed = (source) =>
  within(
    new Promise((resolve) => {
      source.addEventListener('error', () => source.readyState === EventSource.CLOSED && resolve());
    }),
    'the source to stop',
  );

const using = async (url, use) => {
  const source = new EventSource(url);
  try {
    return await use(source);
  } finally {
    source.close();
  }
};

await run('Node eventsource', {
  'hears every message in order with its id': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await using(`${server.url}/topics/t/sse?after=${origin}`, async (source) => {
        const collecting = collect(source, 20);
        const published = await server.publish('t', ...numbers(1, 20));
        assert.deepEqual(await collecting, published.map((id, index) => [id, String(index + 1)]));
      });
    }),
  'joins the lines of a payload': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await using(`${server.url}/topics/t/sse?after=${origin}`, async (source) => {
        const collecting = collect(source, 1);
        const [id] = await server.publish('t', '{\n "a": [1,\r\n 2]\n}');
        assert.deepEqual(await collecting, [[id, '{\n "a": [1,\n 2]\n}']]);
      });
    }),
  'polls unchanged and loses nothing between two polls': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await using(`${server.url}/topics/t/sse?mode=short-polling&interval=20&after=${origin}`, async (source) => {
        const collecting = collect(source, 15);
        const published = await server.publish('t', ...numbers(1, 15));
        assert.deepEqual((await collecting).map(([id]) => id), published);
      });
    }),
  'is told what it missed': () =>
    serve(['--replay', '2'], async (server) => {
      const published = await server.publish('t', ...numbers(1, 6));
      await using(`${server.url}/topics/t/sse?after=${published[0]}`, async (source) => {
        const missed = within(
          new Promise((resolve) => source.addEventListener('missed', ({ data }) => resolve(data))),
          'the notice',
        );
        const collecting = collect(source, 2);
        assert.equal(await missed, '3');
        assert.deepEqual((await collecting).map(([id]) => id), published.slice(4));
      });
    }),
  'is stopped by completion': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      await using(`${server.url}/topics/t/sse?after=${origin}`, async (source) => {
        const stopped = closed(source);
        const collecting = collect(source, 3);
        await server.publish('t', 1, 2, 3);
        await collecting;
        await server.complete('t');
        await stopped;
      });
    }),
});
