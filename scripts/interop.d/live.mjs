// The live page in headless Chromium: `node live.mjs OUTDIR`, where the screenshots go.
//
// Every lane hears every message, across a cut and a stall; completion, a chat between two tabs, lanes that wait for a
// connection, techniques that a browser lacks, and a network, where the machine can make one. At 1280 and 390 px, light and dark: no error on the console, nothing
// that the policy refused, nothing from elsewhere, no sideways scrolling, and nothing serious that axe-core finds.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';

import { overflowing, unnamedDrawings, violations } from './inspection.mjs';
import { launchChromium, run, serve, within } from './pushoff.mjs';

const folder = argv[2] ?? 'target/look';
mkdirSync(folder, { recursive: true });

const browser = await launchChromium();

// Where the system makes namespaces, a network that is not there is a failure.
const hasNetworks = spawnSync(join(import.meta.dirname, 'namespaces')).status === 0;
/** One way: more than short polling waits without a network. */
const DELAY_MS = 300;
const distant = join(folder, 'distant.toml');
writeFileSync(distant, `name = "distant"\nsays = "far away"\n[down]\ndelay = "${DELAY_MS}ms"\n[up]\ndelay = "${DELAY_MS}ms"\n`);

/** Runs `use` with the page of a server of `flags`, what the browser complains of, and its context. */
const visit = (flags, options, use) =>
  serve(flags, async (server) => {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      return await use(page, await open(page, server), context, server);
    } finally {
      await context.close();
    }
  });

async function open(page, server) {
  const complaints = [];
  const own = new Set([server.http, ...Object.values(server.networks)]);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('request', (request) => own.has(new URL(request.url()).host) || complaints.push(`asked for ${request.url()}`));
  await page.addInitScript(() => {
    globalThis.refused = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => globalThis.refused.push(violatedDirective));
  });
  await page.goto(server.url);
  return complaints;
}

/** What each lane shows. */
const lanes = (page) =>
  page.$$eval('.lane', (all) => all.map((lane) => ({
    name: lane.querySelector('h2').textContent.trim(),
    state: lane.dataset.state,
    ...Object.fromEntries(['p .says', '.stage', 'dd.messages', 'dd.missed', 'dd.resumed', 'dd.kept'].map((part) => [part.split('.')[1], lane.querySelector(part).textContent])),
  })));

/** Waits until that many lanes are in a state: all of them, unless it is said. */
const inState = (page, state, count = 6) =>
  page.waitForFunction(([wanted, many]) => document.querySelectorAll(`.lane[data-state=${wanted}]`).length === many, [state, count]);

const heard = (page, count) =>
  page.waitForFunction((least) => [...document.querySelectorAll('dd.messages')].every((cell) => Number(cell.textContent) >= least), count);

/** Stops publishing, and waits until all lanes have heard all of it. */
async function settle(page) {
  await page.click('#run');
  await page.waitForFunction(() => {
    const published = document.getElementById('published').textContent;
    return [...document.querySelectorAll('dd.messages')].every((cell) => cell.textContent === published);
  });
}

const medians = (page) =>
  page.$$eval('dd.latency', (cells) => cells.map(({ textContent }) => {
    const [number, unit] = textContent.split(' ');
    return Number(number) * { 'µs': 0.001, ms: 1, s: 1000 }[unit];
  }));

const choose = (page, scenario) => page.check(`[value=${scenario}]`, { force: true });

/** What the strip says of each lane beside what the lane says. */
const strip = (page) =>
  page.$$eval('#strip tr', (rows) => rows.map((row) => row.querySelector('td.requests').textContent));

const look = (width, colorScheme) => () =>
  visit(['--demo', ...(hasNetworks ? ['--network', 'cable,slow-4g,wifi-bad'] : [])], { viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' }, async (page, complaints) => {
    await heard(page, 40);
    await page.screenshot({ path: join(folder, `live-${width}-${colorScheme}.png`), fullPage: true });
    assert.equal((await strip(page)).filter((requests) => requests !== '–').length, 6);
    assert.deepEqual(await page.$$eval('.toggle', (all) => all.map((it) => it.ariaChecked)), Array(6).fill('true'));
    assert.deepEqual(await overflowing(page), []);
    assert.deepEqual(await unnamedDrawings(page), []);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await page.evaluate(() => globalThis.refused), []);
    assert.deepEqual(complaints, []);
    assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true);
    assert.match(await page.textContent('#clock'), /^steps of [\d.]+ µs, isolated/);
  });

/** Chooses a network, or none, and waits until all lanes have begun anew and heard so much. */
async function over(page, network, count) {
  await page.selectOption('#network', { label: network });
  await page.waitForFunction((few) => [...document.querySelectorAll('dd.messages')].every((cell) => Number(cell.textContent) < few), count);
  await heard(page, count);
}

const networks = {
  'puts all lanes behind a network, where they hear all of it, later by its delay, and back': () =>
    visit(['--network', distant], {}, async (page, complaints) => {
      await page.selectOption('#interval', '200');
      await heard(page, 60);
      const direct = await medians(page);
      await over(page, 'distant: far away', 60);
      const behind = await medians(page);
      await settle(page);
      for (const [lane, { name, missed, resumed }] of (await lanes(page)).entries()) {
        assert.ok(behind[lane] >= DELAY_MS && behind[lane] > direct[lane], `${name}: ${direct[lane]} ms, then ${behind[lane]} ms`);
        assert.deepEqual([missed, resumed], ['0', '0×'], name);
      }
      await over(page, 'none (this machine)', 20);
      await settle(page);
      assert.deepEqual(await page.evaluate(() => globalThis.refused), []);
      assert.deepEqual(complaints, []);
    }),
};
if (!hasNetworks) {
  for (const name of Object.keys(networks)) console.log(`skipped the live page: ${name}: this machine lets no network be made`);
}

await run('the live page', {
  ...(hasNetworks ? networks : {}),
  'is whole and clear at 1280 px, light': look(1280, 'light'),
  'is whole and clear at 1280 px, dark': look(1280, 'dark'),
  'is whole and clear at 390 px, light': look(390, 'light'),
  'is whole and clear at 390 px, dark': look(390, 'dark'),
  'hears all of it on every lane across a cut, and says who was back when': () =>
    visit(['--demo'], {}, async (page) => {
      await heard(page, 10);
      await page.click('#cut');
      const wereBack = () => [...document.querySelectorAll('dd.resumed')].slice(1).every((cell) => cell.textContent === '1×');
      await page.waitForFunction(wereBack);
      await settle(page);
      for (const { name, missed, says } of await lanes(page)) {
        assert.equal(missed, '0', name);
        if (!/^Short/.test(name)) assert.match(says, /Was back after .* and caught up on \d+/, name);
      }
    }),
  'hears all of it on every lane after a stall, which breaks nothing': () =>
    visit(['--demo'], {}, async (page, complaints) => {
      await heard(page, 10);
      await page.click('#hold');
      await inState(page, 'silent');
      await inState(page, 'open');
      await settle(page);
      for (const { name, missed, resumed } of await lanes(page)) assert.deepEqual([missed, resumed], ['0', '0×'], name);
      assert.deepEqual(complaints, []);
    }),
  'accuses no lane of what the server refused to take': () =>
    visit(['--demo'], {}, async (page) => {
      await heard(page, 10);
      const isPublish = (url) => /^\/topics\/[^/]+$/.test(url.pathname);
      await page.route(isPublish, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"detail":"not now"}' }));
      await page.waitForFunction(() => document.getElementById('published').textContent.includes('given up'));
      assert.match(await page.textContent('#state'), /^Not published: not now/);
      await page.unroute(isPublish);
      const before = Number((await page.textContent('#published')).split(',')[0]);
      await heard(page, before + 20);
      await page.click('#run');
      await page.waitForFunction(() => {
        const [sent] = document.getElementById('published').textContent.split(',');
        return [...document.querySelectorAll('dd.messages')].every((cell) => cell.textContent === sent);
      });
      for (const { name, missed } of await lanes(page)) assert.equal(missed, '0', name);
    }),
  'asks again where a poll was answered with what is no message': () =>
    visit(['--demo'], {}, async (page, complaints) => {
      await heard(page, 10);
      for (const transport of ['short-polling', 'long-polling']) {
        const isPoll = (url) => url.pathname.endsWith(`/${transport}`);
        await page.route(isPoll, (route) => route.fulfill({ status: 200, body: '<html>a gateway speaks</html>\n' }), { times: 1 });
        await page.waitForSelector(`.lane.${transport} .says:has-text("is no message of this server")`);
        await page.waitForSelector(`.lane.${transport}[data-state=open]`);
      }
      await settle(page);
      for (const { name, missed } of await lanes(page)) assert.equal(missed, '0', name);
      assert.deepEqual(complaints, []);
    }),
  'shows that a topic is complete': () =>
    visit(['--demo'], {}, async (page) => {
      await choose(page, 'progress');
      await page.waitForSelector('#run:text("Run again")', { timeout: 40_000 });
      await inState(page, 'over');
      for (const { name, says, stage, messages } of await lanes(page)) {
        assert.deepEqual([stage, messages], ['100 %', '100'], name);
        assert.match(says, /^Over: the topic is complete/, name);
      }
    }),
  'takes a rate and a size of the reader\'s own, and shows what XHR keeps': () =>
    visit(['--demo'], {}, async (page) => {
      await choose(page, 'own');
      await page.fill('#size', '1000');
      await page.fill('#rate', '100');
      await page.press('#rate', 'Enter');
      await heard(page, 100);
      await settle(page);
      const [, , xhr, fetched] = (await lanes(page)).map(({ kept }) => kept);
      assert.match(xhr, /\d kB$/);
      assert.equal(fetched, '0 B');
    }),
  'carries a chat between two tabs, whose lanes share four connections': () =>
    visit(['--demo'], {}, async (page, complaints, context, server) => {
      await choose(page, 'chat');
      await inState(page, 'open');
      const other = await context.newPage();
      await open(other, server);
      await choose(other, 'chat');
      await inState(other, 'queued', 4);
      await inState(other, 'open', 2);
      await other.waitForSelector('#wall:has-text("0 held by lanes here, 4 by other tabs, 2 free")');
      const posts = [];
      other.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
      await other.fill('#message', 'Is anybody there?');
      await other.press('#message', 'Enter');
      await heard(page, 1);
      for (const { name, stage } of await lanes(page)) assert.match(stage, /Is anybody there\?$/, name);
      assert.match(await page.textContent('#heard'), /Is anybody there\?$/);
      assert.deepEqual(posts, [], 'the WebSocket carried it');
      await other.waitForSelector('.lane.websocket .says:has-text("Sent 1 on this connection.")');
      assert.deepEqual(complaints, []);
      // A tab that closes makes room for the lanes that wait.
      await page.close();
      await inState(other, 'open');
    }),
  'says which techniques the browser lacks, and goes on with the others': () =>
    visit(['--demo'], {}, async (page, _, context, server) => {
      const poor = await context.newPage();
      await page.close();
      await poor.addInitScript(() => { delete globalThis.EventSource; delete globalThis.WebSocket; });
      await poor.goto(server.url);
      await inState(poor, 'open', 4);
      const lacking = (await lanes(poor)).filter(({ state }) => state === 'unavailable').map(({ says }) => says);
      assert.deepEqual(lacking, ['EventSource', 'WebSocket'].map((name) => `Not available: this browser has no ${name}.`));
    }),
  'works with the keyboard alone': () =>
    visit(['--demo'], {}, async (page) => {
      await heard(page, 5);
      await page.focus('[value=ticker]');
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.isChecked('[value=progress]'), true);
      await heard(page, 1);
      await page.focus('.lane:nth-child(6) .toggle');
      await page.keyboard.press('Enter');
      await inState(page, 'off', 1);
      await page.keyboard.press('Enter');
      await inState(page, 'open');
    }),
  'offers no outage and no network where the server has none, and asks for the token that it wants': () =>
    visit(['--publish-token', 'secret'], {}, async (page) => {
      assert.equal(await page.isVisible('#cut'), false);
      assert.equal(await page.isVisible('#network'), false);
      assert.equal(await page.isVisible('[data-no-outages]'), true);
      await page.waitForSelector('#state:has-text("Not published")');
      await page.fill('#token', 'secret');
      await page.press('#token', 'Enter');
      await heard(page, 5);
    }),
});

await within(browser.close(), 'the browser to close');
