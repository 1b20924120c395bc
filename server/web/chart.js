// A lane's latency, live: one dot a message, when it came over how late it was, for the last half minute.
//
// The scale is logarithmic, because a push and a poll are a thousand times apart. All dots are one path.

import { draw } from './wire.js';

const SPAN_MS = 30_000;
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 316, 8, 102];
/** The scale, in milliseconds, and what is written at its lines. */
const TICKS = [[1, '1 ms'], [10, '10 ms'], [100, '100 ms'], [1000, '1 s'], [10_000, '10 s']];
const [LEAST, MOST] = [0.5, 15_000];

const y = (latency) => {
  const share = Math.log(Math.min(Math.max(latency, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST);
  return BOTTOM - share * (BOTTOM - TOP);
};

export class Chart {
  #svg;
  #dots;
  #marks;
  /** Pairs of arrival and latency, oldest first. */
  #samples = [];

  constructor(svg) {
    this.#svg = svg;
    for (const [tick, label] of TICKS) {
      draw(svg, 'path', { class: 'grid', d: `M${LEFT},${y(tick)}H${RIGHT}` });
      draw(svg, 'text', { x: LEFT - 4, y: y(tick) + 3.5, class: 'end' }, label);
    }
    draw(svg, 'text', { x: LEFT, y: 116 }, '30 s ago');
    draw(svg, 'text', { x: (LEFT + RIGHT) / 2, y: 116, class: 'middle' }, 'latency, a dot a message');
    draw(svg, 'text', { x: RIGHT, y: 116, class: 'end' }, 'now');
    this.#marks = draw(svg, 'path', { class: 'mark' });
    this.#dots = draw(svg, 'path', { class: 'dots' });
    this.render(performance.now(), []);
  }

  add(now, latency) {
    this.#samples.push([now, latency]);
  }

  clear() {
    this.#samples = [];
  }

  /** Draws what the last half minute holds; `marks` are the moments of outages. */
  render(now, marks) {
    const since = now - SPAN_MS;
    const first = this.#samples.findIndex(([moment]) => moment >= since);
    this.#samples = first < 0 ? [] : this.#samples.slice(first);
    const x = (moment) => (LEFT + (RIGHT - LEFT) * (moment - since) / SPAN_MS).toFixed(1);
    this.#dots.setAttribute('d', this.#samples.map(([moment, latency]) => `M${x(moment)},${y(latency).toFixed(1)}h0`).join(''));
    const shown = marks.filter((moment) => moment >= since);
    this.#marks.setAttribute('d', shown.map((moment) => `M${x(moment)},${TOP}V${BOTTOM}`).join(''));
  }

  /** Says in words what is drawn. */
  describe(text) {
    this.#svg.setAttribute('aria-label', `Latency of the last 30 seconds: ${text}`);
  }

  /** The median and the worst of the last half minute, or nothing. */
  summary() {
    const sorted = this.#samples.map(([, latency]) => latency).sort((one, other) => one - other);
    return sorted.length ? { median: sorted[sorted.length >> 1], worst: sorted.at(-1) } : null;
  }
}
