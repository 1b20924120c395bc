// Moves the sliders of a report in a real browser: `node planner.mjs PATH_TO_report.html`, with PUSHOFF naming the binary.
//
// At several stops the page must show what `pushoff plan` says for the command that the page shows: the choice, how sure
// it is, every sentence and note, and in the table the first three figures. Nothing is computed here. Also: the sliders move
// by keys, and without scripts the first plan stands in the page.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { argv, env, exit } from 'node:process';
import { pathToFileURL } from 'node:url';

import { launchChromium, run } from './pushoff.mjs';

if (argv.length !== 3) {
  console.error('usage: planner.mjs PATH_TO_report.html');
  exit(2);
}
const url = pathToFileURL(resolve(argv[2])).href;
const browser = await launchChromium();
const SLIDERS = ['users', 'rate', 'payload', 'staleness', 'audience'];
/** Stops of the sliders in this order: the ends, and some between. */
const STOPS = [
  [0, 0, 0, 0, 0],
  [3, 4, 2, 3, 2],
  [2, 3, 2, 1, 1],
  [1, 2, 1, 0, 2],
  [0, 3, 0, 3, 0],
];

/** Runs `use` with the report, and fails where the page complained. */
async function visit(options, use) {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.stack));
    await page.goto(url);
    // The sliders appear once the script has unpacked the plans.
    if (options.javaScriptEnabled !== false) await page.waitForSelector('#planner-needs', { state: 'visible' });
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** What the planner shows, as text. */
const shown = (page) =>
  page.$eval('#planner', (section) => {
    const text = (node) => node.textContent.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ').trim();
    const all = (selector) => [...section.querySelectorAll(selector)].map(text);
    return {
      choice: text(section.querySelector('#planner-choice')),
      sure: text(section.querySelector('#planner-sure')),
      command: text(section.querySelector('#planner-command')),
      sentences: all('#planner-sentences p'),
      notes: all('#planner-notes li'),
      rows: [...section.querySelectorAll('[data-transport]')].map((row) => ({
        transport: row.dataset.transport,
        isChosen: row.querySelector('.chosen') !== null,
        isBeyond: row.querySelector('.beyond') !== null,
        standing: text(row.querySelector('.standing')),
        figures: [...row.querySelectorAll('.point')].map((point) => text(point).replace(/^≈ | \(best\)$/g, '')),
      })),
    };
  });

function pushoff(command, ...more) {
  const [program, ...words] = command.split(' ');
  assert.equal(program, 'pushoff');
  const { status, stdout, stderr } = spawnSync(env.PUSHOFF, [...words, ...more], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

/** The page against the command that the page shows. */
async function same(page) {
  const now = await shown(page);
  console.log(`        ${now.command}: ${now.choice}`);
  const plan = JSON.parse(pushoff(now.command, '--json'));
  const chosen = now.rows.filter(({ isChosen }) => isChosen).map(({ transport }) => transport);
  assert.deepEqual(chosen, plan.choice ? [plan.choice] : []);
  // What would change the choice stands in the command's answer alone, last.
  assert.deepEqual(now.sentences, plan.sentences.slice(0, -1));
  assert.deepEqual(now.notes, plan.notes);
  if (plan.choice) assert.ok(now.sentences[0].includes(`[${now.sure}]`), now.sure);
  assert.deepEqual(
    now.rows.map(({ transport, standing, isBeyond }) => [transport, standing, isBeyond]),
    plan.transports.map(({ transport, standing, beyond }) => [transport, standing, beyond.length > 0]),
  );
  const terminal = pushoff(now.command).split('\n');
  for (const { transport, figures } of now.rows) {
    const line = terminal.find((it) => it.replaceAll(/[ ▸│]+/g, '-').toLowerCase().startsWith(`-${transport}-`));
    assert.equal(figures.length, 6);
    // The terminal drops the columns at the right for want of room.
    for (const figure of figures.slice(0, 3)) assert.ok(line?.includes(figure), `${transport}: ${figure} is not in ${line}`);
  }
  return now;
}

const move = (page, stops) =>
  Promise.all(SLIDERS.map((name, at) => page.locator(`#planner-${name}`).fill(String(stops[at]))));

const checks = {
  'without scripts the first plan stands in the page': () =>
    visit({}, async (page) => {
      const first = await same(page);
      await visit({ javaScriptEnabled: false }, async (plain) => {
        assert.deepEqual(await shown(plain), first);
        assert.equal(await plain.isVisible('#planner-needs'), false);
      });
    }),

  'a slider moves by keys and says its stop': () =>
    visit({}, async (page) => {
      const before = await shown(page);
      const users = page.locator('#planner-users');
      const says = () => users.getAttribute('aria-valuetext');
      await users.focus();
      await page.keyboard.press('Home');
      assert.equal(await says(), '1k');
      await page.keyboard.press('ArrowRight');
      assert.equal(await says(), '10k');
      assert.equal(await page.textContent('#planner-users-stop'), '10k');
      const { command } = await same(page);
      assert.match(command, / --users 10k /);
      await page.keyboard.press('End');
      assert.equal(await says(), '1M');
      assert.deepEqual(await shown(page), before);
    }),
};
for (const stops of STOPS) {
  checks[`stops ${stops.join(' ')}`] = () =>
    visit({}, async (page) => {
      await move(page, stops);
      const texts = await Promise.all(SLIDERS.map((name) => page.textContent(`#planner-${name}-stop`)));
      const { command } = await same(page);
      // The plan is that of these stops, and not of others.
      for (const [at, name] of SLIDERS.slice(0, 4).entries()) assert.ok(`${command} `.includes(` --${name} ${texts[at]} `), command);
      assert.equal(/ --audience (\S+)/.exec(command)?.[1] ?? 'all users', { 'one user': '1', 'rooms of 20, all speak': '20' }[texts[4]] ?? texts[4]);
    });
}

try {
  await run('the planner', checks);
} finally {
  await browser.close();
}
