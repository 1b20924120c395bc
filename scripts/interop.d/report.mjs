// Opens a report as a reader would: `node report.mjs PATH_TO_report.html OUTDIR`.
//
// At 1280 and 390 px, light and dark: at most eight screens of 1280 × 900 before a fold is opened, a theme switch that says
// its state and remembers it, a way back from a linked figure; and with every fold open no error on the console, no request
// beyond the file itself, no page wider than the window, no figure over its neighbour, no chart of another size than before,
// a name for every drawing, and nothing serious or critical that axe-core finds. Saves a screenshot of each.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, exit } from 'node:process';
import { pathToFileURL } from 'node:url';

import { overflowing, spilling, unnamedDrawings, violations } from './inspection.mjs';
import { launchChromium } from './pushoff.mjs';

if (argv.length !== 4) {
  console.error('usage: report.mjs PATH_TO_report.html OUTDIR');
  exit(2);
}
const [url, folder] = [pathToFileURL(resolve(argv[2])).href, argv[3]];
mkdirSync(folder, { recursive: true });

const browser = await launchChromium();

/** The page that is read before anything is opened is so many screens long, and no longer. */
const MOST_SCREENS = 8;

/** How many screens too many. */
const tooLong = (page) =>
  page.evaluate((most) => {
    const screens = document.documentElement.scrollHeight / innerHeight;
    return innerWidth < 1280 || screens <= most ? [] : [`${screens.toFixed(1)} screens`];
  }, MOST_SCREENS);

const chartWidths = (page) => page.$$eval('svg.chart', (all) => all.map((it) => Math.round(it.getBoundingClientRect().width)));

/** Whether the theme switch says its state, and says the same after the page is opened again. */
async function forgets(page) {
  const says = () => page.getAttribute('#theme', 'aria-pressed');
  const before = await says();
  await page.click('#theme');
  const after = await says();
  await page.reload({ waitUntil: 'load' });
  const kept = await says();
  await page.click('#theme');
  return before !== after && kept === after ? [] : [`${before}, then ${after}, and ${kept} when opened again`];
}

/** Whether whoever followed a figure of the first screen gets back to it. */
async function losesTheWay(page) {
  await page.evaluate(() => scrollTo(0, 0));
  const link = page.locator('.answers a.figure[href^="#cell-"]').first();
  if (await link.count() === 0) return [];
  const place = await page.evaluate(() => scrollY);
  await link.click();
  const isLed = await page.evaluate(() => document.querySelector(':target')?.checkVisibility());
  await page.click('#back');
  await page.waitForFunction(() => !location.hash);
  const isBack = await page.evaluate((was) => Math.abs(scrollY - was) < innerHeight, place);
  return isLed && isBack ? [] : [`led: ${isLed}, back: ${isBack}`];
}

async function inspect(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const [errors, requests] = [[], []];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('request', (request) => {
    if (!/^(data|blob|about):/.test(request.url()) && request.url() !== url) requests.push(request.url());
  });
  await page.goto(url, { waitUntil: 'load' });
  const before = {
    'there are at most eight screens': await tooLong(page),
    'the theme is said and remembered': await forgets(page),
    'a linked figure has a way back': await losesTheWay(page),
  };
  const widths = await chartWidths(page);
  await page.$$eval('details', (folds) => folds.forEach((fold) => (fold.open = true)));
  await page.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
  const wide = await chartWidths(page);
  const facts = {
    ...before,
    'no fold scales a chart': wide.filter((width, at) => width !== widths[at]).map((width) => `${width} px`),
    'the console shows no error': errors,
    'nothing is fetched': requests,
    'the page does not scroll sideways': await overflowing(page),
    'no figure reaches over its neighbour': await spilling(page),
    'every drawing has a name': await unnamedDrawings(page),
    'axe finds nothing serious': await violations(page),
  };
  await context.close();
  return Object.entries(facts).map(([fact, against]) => [`${width} px, ${colorScheme}: ${fact}`, against]);
}

let failed = 0;
let passed = 0;
try {
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [fact, against] of await inspect(width, colorScheme)) {
        if (against.length === 0) passed += 1;
        else failed += 1;
        console.log(against.length === 0 ? `ok      report at ${fact}` : `FAILED  report at ${fact}: ${against.join('; ')}`);
      }
    }
  }
} finally {
  await browser.close();
}
assert.ok(passed + failed > 0);
console.log(`${passed} passed, ${failed} failed`);
exit(failed === 0 ? 0 : 1);
