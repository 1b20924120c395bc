// The sliders of a report in headless Chromium: `node planner.mjs PATH_TO_report.html`, PUSHOFF naming the binary.
//
// Over ten random loads every figure, the choice, how sure it is and every sentence are what `pushoff plan --json` says of
// the command that the page shows. PUSHOFF_SEED draws others. And: what stands there without scripts, prices of one's own,
// what is absurd, and the keyboard.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, env, exit } from 'node:process';
import { pathToFileURL } from 'node:url';

import { launchChromium, run } from './pushoff.mjs';

const LOADS = 10;
/** Figures are to agree to this part of them. */
const NEAR = 1e-9;

if (argv.length !== 3) {
  console.error('usage: planner.mjs PATH_TO_report.html');
  exit(2);
}
const url = pathToFileURL(resolve(argv[2])).href;
const seed = Number(env.PUSHOFF_SEED ?? 1);
const browser = await launchChromium();

/** Runs `use` with the report, and fails where the page complained. */
async function visit(options, use) {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.stack));
    await page.goto(url);
    // The fields appear once the script has unpacked its model.
    if (options.javaScriptEnabled !== false) await page.waitForSelector('#planner-needs', { state: 'visible' });
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** What the planner shows: every figure as a number, and every sentence. */
const shown = (page) =>
  page.$eval('#planner', (section) => {
    const text = (node) => node.textContent.replaceAll('\u00a0', ' ').trim();
    const number = (written) => (written === '' ? null : Number(written));
    const all = (selector) => [...section.querySelectorAll(selector)].map(text);
    const heads = [...section.querySelectorAll('th[data-figure]')].map(({ dataset }) => dataset.figure);
    const figure = ({ dataset }, place) => [heads[place], { point: number(dataset.value), low: number(dataset.low ?? ''), high: number(dataset.high ?? '') }];
    const rows = [...section.querySelectorAll('[data-transport]')].map((row) => ({
      transport: row.dataset.transport,
      standing: text(row.querySelector('.standing')),
      isTaken: row.classList.contains('chosen'),
      isBeyond: !row.querySelector('.beyond').hidden,
      figures: Object.fromEntries([...row.querySelectorAll('[data-value]')].map(figure)),
      cells: [...row.querySelectorAll('[data-value]')].map(text),
    }));
    const part = (name) => text(section.querySelector(`#planner-${name}`));
    return {
      rows,
      choice: part('choice'),
      sure: part('sure'),
      sentences: all('#planner-sentences p'),
      notes: all('#planner-notes li'),
      command: part('command'),
    };
  });

/** Runs a command as the page shows it. */
function pushoff(command, ...more) {
  const words = command.match(/(?:'[^']*'|[^\s'])+/g).map((word) => word.replaceAll("'", ''));
  assert.equal(words.shift(), 'pushoff');
  return spawnSync(env.PUSHOFF, [...words, ...more], { encoding: 'utf8', timeout: 30_000 });
}

function planned(command) {
  const { status, stdout, stderr } = pushoff(command, '--json');
  assert.equal(status, 0, `${command}: ${stderr}`);
  return JSON.parse(stdout);
}

function near(what, one, other) {
  const isNear = one === null || other === null ? one === other : Math.abs(one - other) <= NEAR * Math.max(Math.abs(one), Math.abs(other));
  assert.ok(isNear, `${what} is ${one} on the page, ${other} in pushoff plan`);
}

/** The page against the command. */
function same(page, plan) {
  page.rows.forEach((row, place) => {
    const other = plan.transports[place];
    assert.equal(row.transport, other.transport);
    assert.equal(row.standing, other.standing);
    assert.equal(row.isTaken, other.transport === plan.choice);
    assert.equal(row.isBeyond, other.beyond.length > 0);
    for (const [key, { point, low, high }] of Object.entries(row.figures)) {
      const figure = other[key];
      const [middle, interval] = typeof figure === 'number' ? [figure, null] : [figure?.point ?? null, figure?.interval ?? null];
      near(`${row.transport}: ${key}`, point, middle);
      near(`${row.transport}: ${key}, lower end`, low, interval?.low ?? null);
      near(`${row.transport}: ${key}, upper end`, high, interval?.high ?? null);
    }
  });
  assert.equal(page.rows.length, plan.transports.length);
  assert.deepEqual(page.sentences, plan.sentences);
  assert.deepEqual(page.notes, plan.notes);
}

/** Numbers from 0 to 1 of a seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Which part of each slider is drawn from: at the ends nearly nothing can be planned for. */
const DRAWN = { users: [0, 1], rate: [0.1, 1], payload: [0, 1], staleness: [0.25, 1], audience: [0, 1.5], rtt: [0, 0.7] };

/** Drives every slider to a random place; how long the page took for the last, in milliseconds. */
async function drive(page, draw) {
  for (const [name, [from, to]] of Object.entries(DRAWN)) {
    const slider = page.locator(`#planner-${name}-slider`);
    const most = Number(await slider.getAttribute('max'));
    await slider.fill(String(Math.round(most * Math.min(from + draw() * (to - from), 1))));
  }
  await page.check(`[name=planner-direction][value=${draw() < 0.5 ? 'down' : 'both'}]`);
  return page.$eval('#planner-rtt', (field) => {
    const before = performance.now();
    field.dispatchEvent(new Event('input', { bubbles: true }));
    return performance.now() - before;
  });
}

const checks = {
  'stands there without scripts as the script begins': () =>
    visit({}, async (page) => {
      await page.dispatchEvent('#planner-users', 'input');
      const begun = await shown(page);
      same(begun, planned(begun.command));
      await visit({ javaScriptEnabled: false }, async (plain) => {
        const { rows, ...words } = await shown(plain);
        const { rows: theirs, ...same } = begun;
        assert.deepEqual(words, same);
        assert.deepEqual(rows.map((row) => [row.transport, row.standing, row.cells]), theirs.map((row) => [row.transport, row.standing, row.cells]));
        assert.equal(await plain.isVisible('#planner-needs'), false);
      });
      assert.equal(await page.isVisible('#planner-needs'), true);
    }),

  'money follows prices of one’s own': () =>
    visit({}, async (page) => {
      const folder = mkdtempSync(join(tmpdir(), 'planner-'));
      try {
        await page.click('#planner details summary');
        await page.fill('#planner-core_month', '12.5');
        await page.fill('#planner-ingress_gb', '0.01');
        await page.fill('#planner-currency', 'EUR');
        const file = join(folder, 'prices.toml');
        writeFileSync(file, await page.textContent('#planner-toml'));
        const begun = await shown(page);
        assert.match(begun.command, / --prices prices\.toml$/);
        assert.match(begun.sentences[0], / EUR a month/);
        same(begun, planned(begun.command.replace('prices.toml', file)));
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),

  'what is absurd gets one sentence beside its field, and the answer stays': () =>
    visit({}, async (page) => {
      await page.dispatchEvent('#planner-users', 'input');
      const before = await shown(page);
      const absurd = { users: '0', rate: '-1/s', payload: '1TB', staleness: '3 fortnights', audience: '2M', rtt: '11s', core_month: '-1', currency: '' };
      await page.click('#planner details summary');
      for (const [name, typed] of Object.entries(absurd)) {
        const field = page.locator(`#planner-${name}`);
        const right = await field.inputValue();
        await field.fill(typed);
        const sentence = await page.textContent(`#planner-${name}-wrong`);
        assert.match(sentence, /^[A-Z0-9][^\n]+\.$/, name);
        assert.equal(await field.getAttribute('aria-invalid'), 'true');
        assert.deepEqual(await shown(page), before, `${name} is ${typed}`);
        if (name in DRAWN) {
          const others = before.command.replace(new RegExp(` --${name} \\S+`), '');
          const { status, stderr } = pushoff(`${others} --${name}='${typed}'`);
          assert.equal(status, 2, stderr);
          // Of the size of an audience each speaks of its own users.
          if (name !== 'audience') assert.ok(stderr.toLowerCase().includes(sentence.slice(0, -1).toLowerCase()), stderr);
        }
        await field.fill(right);
        assert.equal(await page.textContent(`#planner-${name}-wrong`), '');
        assert.deepEqual(await shown(page), before);
      }
    }),

  'a slider is moved by keys, and its text follows': () =>
    visit({}, async (page) => {
      await page.focus('#planner-users-slider');
      for (let presses = 0; presses < 20; presses += 1) await page.keyboard.press('ArrowLeft');
      assert.equal(await page.inputValue('#planner-users'), '100k');
      await page.keyboard.press('Home');
      assert.equal(await page.inputValue('#planner-users'), '1');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('End');
      const { command } = await shown(page);
      assert.match(command, /--users 1G /);
    }),
};

const took = [];
const draw = random(seed);
for (let load = 1; load <= LOADS; load += 1) {
  checks[`load ${load} of seed ${seed}`] = () =>
    visit({}, async (page) => {
      took.push(await drive(page, draw));
      const now = await shown(page);
      console.log(`        ${now.command}: ${now.choice}${now.sure && `, ${now.sure}`}`);
      same(now, planned(now.command));
    });
}

try {
  await run('the planner', checks);
} finally {
  await browser.close();
}
took.sort((one, other) => one - other);
console.log(`        ${took.at(-1)?.toFixed(1)} ms at most to plan anew`);
