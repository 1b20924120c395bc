// The clients of server/web in headless Chromium, as a page would use them.
//
// One suite over all six: order, exact payloads, a cut without loss or duplicate, what was missed, completion, close,
// sending and refusal. Then what only one has, and how many of ten tabs on one origin are connected.

import assert from 'node:assert/strict';

import { launchChromium, numbers, run, serve, within } from './pushoff.mjs';
import { relay } from './relay.mjs';

const TABS = 10;

/** File, class, transport and options of each client; polls at a pace that keeps the checks short. */
const CLIENTS = {
  'short polling': ['short-polling', 'ShortPolling', 'short-polling', { interval: 20 }],
  'long polling': ['long-polling', 'LongPolling', 'long-polling', {}],
  'HTTP streaming (XHR)': ['http-streaming', 'HttpStreaming', 'http-streaming', {}],
  'HTTP streaming (fetch)': ['fetch-streaming', 'FetchStreaming', 'http-streaming', {}],
  'SSE': ['sse', 'ServerSentEvents', 'sse', {}],
  'SSE that polls': ['sse', 'ServerSentEvents', 'sse', { mode: 'short-polling', interval: 20 }],
  'SSE that polls long': ['sse', 'ServerSentEvents', 'sse', { mode: 'long-polling', interval: 20, wait: 0.5 }],
  'WebSocket': ['websocket', 'WebSocketClient', 'websocket', {}],
};

const browser = await launchChromium();

/** A client in a page, and all that it was heard to say. */
class Client {
  constructor(page) {
    this.page = page;
  }

  /** Opens a page of `origin` and begins to follow the topic `t` there. */
  static async follow(context, origin, technique, options = {}, topic = 't') {
    const client = await Client.open(context, origin, technique);
    await client.begin(technique, options, topic);
    return client;
  }

  /** Opens a page of `origin` that has the technique's module and follows nothing yet. */
  static async open(context, origin, technique) {
    const page = await context.newPage();
    await page.goto(`${origin}/healthz`);
    await page.evaluate((script) => import(script).then(() => {}), `/web/${CLIENTS[technique][0]}.js`);
    return new Client(page);
  }

  begin(technique, options = {}, topic = 't') {
    const [file, name, , defaults] = CLIENTS[technique];
    return this.page.evaluate(async ([script, exported, path, settings]) => {
      const { [exported]: Technique } = await import(script);
      const heard = { opens: 0, messages: [], missed: [], errors: [], closes: [] };
      const client = new Technique(path, settings);
      client.addEventListener('open', () => { heard.opens += 1; });
      client.addEventListener('message', ({ data, lastEventId }) => heard.messages.push([lastEventId, data]));
      client.addEventListener('missed', ({ detail }) => heard.missed.push(detail));
      client.addEventListener('error', ({ detail }) => heard.errors.push(detail));
      client.addEventListener('close', ({ detail }) => heard.closes.push(detail));
      Object.assign(globalThis, { client, heard });
    }, [`/web/${file}.js`, name, `/topics/${topic}`, { ...defaults, ...options }]);
  }

  /** Waits until there are as many of a kind, and returns all of them. */
  async heard(kind, count) {
    const enough = ([which, least]) => (globalThis.heard[which].length ?? globalThis.heard[which]) >= least;
    await this.page.waitForFunction(enough, [kind, count]);
    return this.now(kind);
  }

  now(kind) {
    return this.page.evaluate((which) => globalThis.heard[which], kind);
  }

  opens() {
    return this.now('opens');
  }
}

/** Runs `use` with a client in a context of its own. */
async function follow(origin, technique, options, use, topic) {
  const context = await browser.newContext();
  try {
    return await use(await Client.follow(context, origin, technique, options, topic));
  } finally {
    await context.close();
  }
}

const ids = (messages) => messages.map(([id]) => id);

/** The checks that every client passes. */
const everyone = (technique, transport) => ({
  'delivers in order, and payloads as they were published': () =>
    serve([], async (server) => {
      const after = await server.origin('t');
      await follow(server.url, technique, { after }, async (client) => {
        await client.heard('opens', 1);
        const published = await server.publish('t', ...numbers(1, 20), '{"n":12345678901234567890.10}', '[1,\r\n2]');
        const broken = { sse: '[1,\n2]', websocket: '[1,\r\n2]' }[transport] ?? '[1, 2]';
        const payloads = [...numbers(1, 20).map(String), '{"n":12345678901234567890.10}', broken];
        assert.deepEqual(await client.heard('messages', 22), published.map((id, index) => [id, payloads[index]]));
      });
    }),
  'begins with the next message, or with all that is kept': () =>
    serve([], async (server) => {
      const kept = await server.publish('t', 1, 2);
      await follow(server.url, technique, {}, async (client) => {
        await client.heard('opens', 1);
        const [next] = await server.publish('t', 3);
        assert.deepEqual(ids(await client.heard('messages', 1)), [next]);
        kept.push(next);
      });
      await follow(server.url, technique, { after: 'start' }, async (client) => {
        assert.deepEqual(ids(await client.heard('messages', 3)), kept);
      });
    }),
  'resumes across two cuts without loss or duplicate': () =>
    serve([], (server) =>
      relay(server.http, async ({ url, down, up }) => {
        const after = await server.origin('t');
        await follow(url, technique, { after }, async (client) => {
          const published = await server.publish('t', ...numbers(1, 5));
          await client.heard('messages', 5);
          for (const round of [1, 2]) {
            down();
            published.push(...await server.publish('t', ...numbers(1, 5)));
            // An EventSource that polls takes a broken poll for the end of one.
            if (!technique.startsWith('SSE that')) await client.heard('errors', round);
            up();
            assert.deepEqual(ids(await client.heard('messages', 5 + 5 * round)), published);
          }
          published.push(...await server.publish('t', 'last'.length));
          assert.deepEqual(ids(await client.heard('messages', 16)), published);
          for (const { reason, retryIn } of await client.now('errors')) {
            assert.ok(reason.length > 5 && retryIn >= 250 && retryIn <= 30_000, `${reason} ${retryIn}`);
          }
        });
      })),
  'is told what it missed while it was away': () =>
    serve(['--replay', '2'], (server) =>
      relay(server.http, async ({ url, down, up }) => {
        const after = await server.origin('t');
        await follow(url, technique, { after }, async (client) => {
          const published = await server.publish('t', 1);
          await client.heard('messages', 1);
          down();
          published.push(...await server.publish('t', ...numbers(2, 6)));
          up();
          assert.deepEqual(ids(await client.heard('messages', 3)), [published[0], published[4], published[5]]);
          assert.deepEqual(await client.now('missed'), [3]);
        });
      })),
  'ends when the topic is complete, having heard all of it': () =>
    serve([], async (server) => {
      const after = await server.origin('t');
      await follow(server.url, technique, { after }, async (client) => {
        await client.heard('opens', 1);
        const published = await server.publish('t', 1, 2);
        await server.complete('t');
        const [{ wasClean, code, reason }] = await client.heard('closes', 1);
        const wanted = [true, transport === 'websocket' ? 1000 : 410, 'the topic is complete'];
        assert.deepEqual([wasClean, code, reason], wanted);
        assert.deepEqual(ids(await client.now('messages')), published);
        // An EventSource learns of it only when it comes back.
        assert.equal((await client.now('errors')).length, technique === 'SSE' ? 1 : 0);
      });
    }),
  'is over once it is closed': () =>
    serve([], async (server) => {
      await follow(server.url, technique, {}, async (client) => {
        await client.heard('opens', 1);
        await client.page.evaluate(() => { globalThis.client.close(); globalThis.client.close(); });
        assert.deepEqual(await client.heard('closes', 1), [{ wasClean: true, code: 1000, reason: 'closed by the page' }]);
        await server.publish('t', 1);
        // Whoever is still subscribed has heard of it by the time that a newcomer has.
        await client.page.evaluate(() => { globalThis.before = globalThis.heard; });
        await client.begin('WebSocket', { after: 'start' });
        await client.heard('messages', 1);
        assert.deepEqual(await client.page.evaluate(() => globalThis.before.messages), []);
      });
    }),
  'may be closed before it is open, and while it waits to try again': () =>
    serve([], (server) =>
      relay(server.http, async ({ url, down }) => {
        await follow(url, technique, {}, async (client) => {
          await client.page.evaluate(() => globalThis.client.close());
          assert.equal((await client.heard('closes', 1)).length, 1);
          await client.begin(technique);
          await client.heard('opens', 1);
          down();
          if (!technique.startsWith('SSE that')) await client.heard('errors', 1);
          await client.page.evaluate(() => globalThis.client.close());
          assert.equal((await client.heard('closes', 1)).length, 1);
        });
      })),
  'sends, and hears itself': () =>
    serve([], async (server) => {
      await follow(server.url, technique, {}, async (client) => {
        await client.heard('opens', 1);
        await client.page.evaluate(() => globalThis.client.send({ hello: 'world' }));
        assert.deepEqual((await client.heard('messages', 1))[0][1], '{"hello":"world"}');
      });
    }),
  'publishes with a token, and says why it may not without': () =>
    serve(['--publish-token', 'secret'], async (server) => {
      await follow(server.url, technique, { token: 'secret' }, async (client) => {
        await client.heard('opens', 1);
        await client.page.evaluate(() => globalThis.client.send(1));
        assert.deepEqual((await client.heard('messages', 1))[0][1], '1');
      });
      if (technique === 'WebSocket') return;
      await follow(server.url, technique, {}, async (client) => {
        const refused = await client.page.evaluate(() => globalThis.client.send(1).catch((error) => error.message));
        assert.match(refused, /bearer token/);
      });
    }),
});

// Side by side: they mostly wait.
await Promise.all(Object.entries(CLIENTS).map(([technique, [, , transport]]) => {
  const others = technique === 'WebSocket' ? {} : {
    'is not asked again what is refused for good': () =>
      serve([], (server) =>
        follow(server.url, technique, {}, async (client) => {
          const [{ wasClean, code }] = await client.heard('closes', 1);
          assert.deepEqual([wasClean, code], [false, 400]);
        }, 'not%20a%20topic')),
  };
  return run(`Chromium client, ${technique}`, { ...everyone(technique, transport), ...others });
}));

await run('Chromium client, WebSocket', {
  'says with which code it was closed': () =>
    serve(['--max-payload', '10'], async (server) => {
      const closing = (act) =>
        follow(server.url, 'WebSocket', {}, async (client) => {
          await client.heard('opens', 1);
          await act(client);
          return (await client.heard('closes', 1))[0];
        });
      const tooLong = await closing(({ page }) => page.evaluate(() => globalThis.client.send('more than ten')));
      assert.deepEqual([tooLong.wasClean, tooLong.code], [true, 1009]);
      await follow(server.url, 'WebSocket', {}, async (client) => {
        await client.heard('opens', 1);
        server.process.kill('SIGTERM');
        const [{ reason }] = await client.heard('errors', 1);
        assert.equal(reason, 'the server is going away');
        assert.deepEqual(await client.now('closes'), []);
      });
    }),
  'may not send without the token that the server wants': () =>
    serve(['--publish-token', 'secret'], (server) =>
      follow(server.url, 'WebSocket', {}, async (client) => {
        await client.heard('opens', 1);
        await client.page.evaluate(() => globalThis.client.send(1));
        const [{ wasClean, code, reason }] = await client.heard('closes', 1);
        assert.deepEqual([wasClean, code], [true, 1008]);
        assert.match(reason, /token/);
      })),
});

await run('Chromium client, HTTP streaming', {
  'keeps all that it received with XHR, and nothing with fetch': () =>
    serve([], async (server) => {
      const kept = {};
      for (const technique of ['HTTP streaming (XHR)', 'HTTP streaming (fetch)']) {
        const after = await server.origin('t');
        kept[technique] = await follow(server.url, technique, { after }, async (client) => {
          await server.publish('t', ...Array.from({ length: 20 }, () => JSON.stringify('x'.repeat(1000))));
          await client.heard('messages', 20);
          return client.page.evaluate(() => globalThis.client.kept);
        });
      }
      assert.ok(kept['HTTP streaming (XHR)'] > 20_000, JSON.stringify(kept));
      assert.equal(kept['HTTP streaming (fetch)'], 0);
    }),
  'begins a new stream with XHR before the text grows without bound': () =>
    serve(['--replay', '200'], async (server) => {
      const after = await server.origin('t');
      const payloads = Array.from({ length: 90 }, (_, index) => JSON.stringify(`${index}${'x'.repeat(60_000)}`));
      await follow(server.url, 'HTTP streaming (XHR)', { after }, async (client) => {
        const published = await server.publish('t', ...payloads);
        assert.deepEqual(ids(await client.heard('messages', 90)), published);
        assert.ok(await client.page.evaluate(() => globalThis.client.kept) < 2 << 20);
        assert.deepEqual(await client.now('errors'), []);
      });
    }),
});

/** How many subscribers the server counts. */
async function connected(server, transport) {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const [, count] = metrics.match(new RegExp(`^pushoff_connections\\{transport="${transport}"\\} (\\d+)`, 'm'));
  return Number(count);
}

/** Asks until it is true: the server has no event for it. */
async function until(isTrue, what) {
  const asking = (async () => { while (!await isTrue()); })();
  await within(asking, what);
}

/** How many of ten tabs on one origin get through, one after the other. */
const wall = (technique, most) => () =>
  serve(['--echo'], async (server) => {
    const [, , transport] = CLIENTS[technique];
    const context = await browser.newContext();
    try {
      const tabs = [];
      // All before the first is connected: beyond the wall not even a page is loaded.
      for (const _ of numbers(1, TABS)) tabs.push(await Client.open(context, server.url, technique));
      for (const number of numbers(1, TABS)) {
        await tabs[number - 1].begin(technique);
        // What a held connection answers at once must be over before the next tab asks.
        if (number <= most) {
          await until(async () => await connected(server, transport) === number, `tab ${number}`);
          await tabs[number - 1].heard('opens', 1);
        }
      }
      // By the time that this got through, those before it had every chance.
      await tabs[0].page.evaluate(async () => {
        const echo = new WebSocket('/echo');
        await new Promise((resolve) => { echo.onopen = resolve; });
      });
      assert.equal(await connected(server, transport), most);
      const opens = await Promise.all(tabs.map((tab) => tab.opens()));
      assert.deepEqual(opens, numbers(1, TABS).map((number) => (number <= most ? 1 : 0)));
      // One that leaves lets another in: whichever asked first, which need not be the one that was told to first.
      await tabs[0].page.evaluate(() => globalThis.client.close());
      if (most < TABS) await Promise.any(tabs.slice(most).map((tab) => tab.heard('opens', 1)));
    } finally {
      await context.close();
    }
  });

await run('Chromium, ten tabs on one origin', {
  'six are connected by long polling': wall('long polling', 6),
  'six are connected by HTTP streaming with XHR': wall('HTTP streaming (XHR)', 6),
  'six are connected by HTTP streaming with fetch': wall('HTTP streaming (fetch)', 6),
  'six are connected by SSE': wall('SSE', 6),
  'all ten are connected by WebSocket': wall('WebSocket', 10),
});

await within(browser.close(), 'the browser to close');
