// Node's own fetch and its streams.

import assert from 'node:assert/strict';

import { cursors, numbers, run, serve } from './pushoff.mjs';

/** The lines of a body as they come. */
async function* lines(response) {
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    for (const line of parts) if (line !== '') yield JSON.parse(line);
  }
  assert.equal(rest, '', 'the body ended inside a line');
}

async function take(source, count) {
  const taken = [];
  for (let index = 0; index < count; index += 1) taken.push((await source.next()).value);
  return taken;
}

/** Polls from `cursor` until the topic is complete. */
async function pollToTheEnd(server, transport, cursor) {
  const received = [];
  for (;;) {
    const response = await fetch(`${server.url}/topics/t/${transport}`, { headers: { 'Last-Event-ID': cursor } });
    const text = await response.text();
    if (response.status === 410) return received;
    assert.ok([200, 204].includes(response.status), String(response.status));
    received.push(...text.split('\n').filter(Boolean).map((line) => JSON.parse(line)));
    cursor = response.headers.get('Last-Event-ID');
  }
}

const polls = (transport) => () =>
  serve([], async (server) => {
    const origin = await server.origin('t');
    const polling = pollToTheEnd(server, transport, origin);
    const published = await server.publish('t', ...numbers(1, 30));
    await server.complete('t');
    assert.deepEqual(await polling, published.map((id, index) => ({ id, data: index + 1 })));
    assert.deepEqual(published, cursors(origin, numbers(1, 30)));
  });

await run('Node fetch', {
  'short polls until the topic is complete': polls('short-polling'),
  'long polls until the topic is complete': polls('long-polling'),
  'streams in order and ends with the topic': () =>
    serve([], async (server) => {
      const origin = await server.origin('t');
      const stream = lines(await fetch(`${server.url}/topics/t/http-streaming?after=${origin}`));
      assert.deepEqual(await take(stream, 1), [{ open: origin }]);
      for (const number of numbers(1, 5)) {
        const [id] = await server.publish('t', number);
        assert.deepEqual(await take(stream, 1), [{ id, data: number }]);
      }
      await server.complete('t');
      assert.deepEqual(await stream.next(), { value: undefined, done: true });
    }),
  'resumes a stream and is told what it missed': () =>
    serve(['--replay', '2'], async (server) => {
      const published = await server.publish('t', ...numbers(1, 6));
      const response = await fetch(`${server.url}/topics/t/http-streaming`, { headers: { 'Last-Event-ID': published[0] } });
      const [, notice, ...messages] = await take(lines(response), 4);
      assert.deepEqual(notice, { missed: 3, id: published[3] });
      assert.deepEqual(messages.map(({ id }) => id), published.slice(4));
    }),
});
