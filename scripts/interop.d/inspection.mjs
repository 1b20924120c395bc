// What is looked for in any page of ours: drawings without a name, sideways scrolling, and what axe-core finds.

import { readFileSync } from 'node:fs';

import { load } from './pushoff.mjs';

const axe = readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');

/** Drawings that a screen reader would meet without a name. */
export const unnamedDrawings = (page) =>
  page.$$eval('svg', (drawings) =>
    drawings
      .filter((svg) => !svg.closest('[aria-hidden="true"]') && !svg.parentElement?.closest('svg'))
      .filter((svg) => {
        const labels = (svg.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean);
        const labelled = labels.some((id) => document.getElementById(id)?.textContent.trim());
        const title = [...svg.children].find((child) => child.tagName === 'title')?.textContent.trim();
        return !labelled && !title && !svg.getAttribute('aria-label')?.trim();
      })
      .map((svg) => svg.outerHTML.slice(0, 120)));

/** What reaches beyond the right edge, where the page itself scrolls sideways. */
export const overflowing = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.body.querySelectorAll('*')].filter((node) => node.getBoundingClientRect().right > clientWidth + 1);
    return [`the page is ${scrollWidth} px wide`, ...wide.slice(0, 5).map((node) => node.outerHTML.slice(0, 100))];
  });

/** Figures whose parts reach beyond them, and so over their neighbours. */
export const spilling = (page) =>
  page.$$eval('figure', (figures) =>
    figures
      .filter((figure) => {
        const edge = figure.getBoundingClientRect().right + 1;
        return [...figure.children].some((part) => part.getBoundingClientRect().right > edge);
      })
      .map((figure) => figure.textContent.trim().slice(0, 80)));

/** What axe-core finds that is serious or critical. */
export async function violations(page) {
  // Not as a script element, which the page's own policy would rightly refuse.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.length}×, e.g. ${nodes[0].target.join(' ')})`);
}
