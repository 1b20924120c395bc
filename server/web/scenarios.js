// What is published, and how a lane shows it: a stock ticker, a progress bar, a chat, or a load of the reader's own.
//
// `compose(index)` makes the content of a message, or nothing once there are no more; `stage(element)` prepares a lane
// and gives the function that shows what a message says.

import * as figures from './figures.js';

/** An element with text. */
export function add(parent, name, className = '', text = '') {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

/** How many lines of a chat a lane keeps in sight. */
const LINES = 4;

const ticker = {
  rate: 20,
  says: '20 ticks a second.',
  create() {
    let price = 100;
    return () => {
      const change = Math.round((Math.random() - 0.5) * 40) / 100;
      price = Math.max(1, price + change);
      return { price: price.toFixed(2), change };
    };
  },
  stage(element) {
    const price = add(element, 'strong', '', '–');
    const change = add(element, 'span', 'note');
    return ({ price: shown, change: by }) => {
      price.textContent = shown;
      change.textContent = `${by < 0 ? '▼' : '▲'} ${Math.abs(by).toFixed(2)}`;
    };
  },
};

const progress = {
  rate: 4,
  says: 'A report every 250 ms; at 100 % the topic is complete, and every client is told so.',
  create: () => (index) => (index < 100 ? { percent: index + 1 } : null),
  stage(element) {
    const bar = add(element, 'progress');
    const label = add(element, 'span', 'note', '0 %');
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute('aria-label', 'Progress');
    return ({ percent }) => {
      bar.value = percent;
      label.textContent = `${percent} %`;
    };
  },
};

const chat = {
  rate: 0,
  topic: 'live-chat',
  says: 'Nothing is sent but what you write: over the WebSocket of its lane, which goes both ways; by POST where that lane is off.',
  create: () => () => null,
  stage(element) {
    const log = add(element, 'ol', 'log');
    return ({ name, text }) => {
      const line = add(log, 'li');
      add(line, 'b', '', name);
      line.append(` ${text}`);
      while (log.childElementCount > LINES) log.firstChild.remove();
    };
  },
};

const own = {
  says: 'At your rate, in your size.',
  create: ({ bytes }) => (index) => ({ number: index + 1, padding: 'x'.repeat(Math.max(0, bytes - 60)) }),
  stage(element) {
    const number = add(element, 'strong', '', '–');
    return (content) => { number.textContent = `message ${figures.count(content.number)}`; };
  },
};

export const SCENARIOS = { ticker, progress, chat, own };
