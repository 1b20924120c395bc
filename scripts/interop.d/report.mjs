// Opens a report as a reader would: `node report.mjs PATH_TO_report.html OUTDIR`.
//
// At 1280 and 390 px, light and dark, with every fold open: no error on the console, no request beyond the
// file itself, no horizontal overflow of the page on a phone, no figure over its neighbour, a name for every
// drawing, and nothing serious or critical that axe-core finds. Saves a screenshot of each.

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
  await page.$$eval('details', (folds) => folds.forEach((fold) => (fold.open = true)));
  await page.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
  const facts = {
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
