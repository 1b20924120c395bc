// The live page: one run of a scenario, published by the page itself and heard by six lanes.
//
// A run has a topic of its own, but for the chat, whose room all tabs share. A network has a port of its own, at which the
// lanes are behind it; publishing by POST never is.

import * as figures from './figures.js';
import { Lane } from './lane.js';
import { Publisher, problem } from './publisher.js';
import { SCENARIOS, add } from './scenarios.js';
import { CONNECTIONS, STREAMS, isShared, usage } from './slots.js';
import { TECHNIQUES } from './techniques.js';

const HOLD_SECONDS = 5;
/** How long the mark of an outage may matter to a chart. */
const MARK_MS = 60_000;

/** A page over TLS may not connect to the port of a network, which is in the clear. */
const isSecure = location.protocol === 'https:';
const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
const RENDER_MS = isStill ? 1000 : 250;
const MEMORY_MS = 10_000;

const at = (id) => document.getElementById(id);
const tab = crypto.getRandomValues(new Uint32Array(1))[0].toString(36).slice(0, 4);
const { outages, token } = document.body.dataset;

const lanes = TECHNIQUES.map((technique) => new Lane(technique, at('lanes')));
let marks = [];
let runs = 0;
let publisher;
let isRunning = false;
let isComplete = false;
let said = 0;
let notice = '';

const chosen = () => document.querySelector('[name=scenario]:checked').value;
const authorization = () => (at('token').value ? { Authorization: `Bearer ${at('token').value}` } : {});

const over = () => (at('network').value ? `http://${location.hostname}:${at('network').value}` : '');

/** Begins a run of the chosen scenario, on all lanes. */
function begin() {
  publisher?.pause();
  runs += 1;
  const scenario = SCENARIOS[chosen()];
  const from = `${tab}.${runs}`;
  const topicUrl = `/topics/${scenario.topic ?? `live-${from}`}`;
  const content = scenario.create({ bytes: at('size').valueAsNumber });
  publisher = new Publisher(topicUrl, {
    rate: scenario.rate ?? at('rate').valueAsNumber,
    token: at('token').value,
    compose(n, due) {
      const made = content(n);
      if (made) return { from, n, due, ...made };
      if (scenario === SCENARIOS.progress) complete(topicUrl);
      return null;
    },
  });
  marks = [];
  isComplete = false;
  heard.clear();
  at('heard').textContent = '';
  const interval = Number(at('interval').value);
  const run = { topicUrl: `${over()}${topicUrl}`, from, scenario, interval, token: at('token').value || null, hear };
  // A room may have kept what was said before; a topic of our own has nothing but what is to be heard.
  for (const lane of lanes) lane.begin(run, scenario.topic ? null : 'start');
  for (const part of document.querySelectorAll('[data-for]')) part.hidden = part.dataset.for !== chosen();
  go();
}

/** The columns of the strip that sums up all lanes. */
const STRIP = ['latency', 'messages', 'requests', 'bytes'];
const strip = lanes.map(({ technique }) => {
  const row = add(at('strip'), 'tr', technique.transport);
  add(row, 'th', '', `${technique.name} (${technique.means})`).scope = 'row';
  return STRIP.map((name) => add(row, 'td', name, '–'));
});

/** Publishes a line of the chat: over a lane that can speak, else by POST. */
function say(line) {
  said += 1;
  const payload = { from: `${tab}.${runs}`, n: said, due: performance.now(), ...line };
  if (lanes.some((lane) => lane.speak(payload))) publisher.sent += 1;
  else publisher.say(payload);
}

function go() {
  isRunning = true;
  publisher.start();
  label();
}

function label() {
  at('run').textContent = isComplete ? 'Run again' : isRunning ? 'Pause' : 'Go on';
  at('run').hidden = chosen() === 'chat';
}

async function complete(topicUrl) {
  const ending = publisher;
  const end = () => fetch(topicUrl, { method: 'DELETE', headers: authorization() }).catch(() => null);
  const answer = await ending.quietly(end);
  // Another run may have begun while this waited.
  if (!answer?.ok || publisher !== ending) return;
  isComplete = true;
  label();
}

const heard = new Set();

/** Reads each message of a chat out once, whichever lane is first. */
function hear(id, { name, text }) {
  if (!text || heard.has(id)) return;
  heard.add(id);
  at('heard').textContent = `${name}: ${text}`;
}

async function strike(path, says, act = () => {}) {
  mark();
  notice = says;
  try {
    const answer = await fetch(path, { method: 'POST', headers: authorization() });
    notice = answer.ok ? '' : await problem(answer);
    if (answer.ok) act();
  } catch {
    // A cut may reach its own answer.
    notice = '';
    act();
  }
}

function mark() {
  const now = performance.now();
  marks = [...marks.filter((moment) => now - moment < MARK_MS), now];
}

function listen() {
  for (const choice of document.querySelectorAll('[name=scenario]')) choice.addEventListener('change', begin);
  for (const id of ['rate', 'size', 'token', 'network']) at(id).addEventListener('change', () => at(id).reportValidity() && begin());
  at('interval').addEventListener('change', () => {
    for (const lane of lanes) if (lane.technique.transport === 'short-polling') lane.change({ interval: Number(at('interval').value) });
  });
  at('run').addEventListener('click', () => {
    if (isComplete) begin();
    else if (!isRunning) go();
    else {
      isRunning = false;
      publisher.pause();
      label();
    }
  });
  at('cut').addEventListener('click', () => publisher.quietly(() => strike('/outage/cut', 'Cutting every connection.', () => {
    for (const lane of lanes) lane.cut(marks.at(-1));
  })));
  at('hold').addEventListener('click', async () => {
    // A button that is disabled would lose the focus.
    if (at('hold').ariaDisabled === 'true') return;
    at('hold').ariaDisabled = 'true';
    await strike(`/outage/hold?seconds=${HOLD_SECONDS}`, `The server writes nothing for ${HOLD_SECONDS} s.`);
    mark();
    at('hold').ariaDisabled = 'false';
  });
  at('chat').addEventListener('submit', (event) => {
    event.preventDefault();
    say({ name: at('name').value, text: at('message').value });
    at('message').value = '';
  });
  at('theme').addEventListener('click', () => {
    const name = setTheme(document.documentElement.dataset.theme) ? 'light' : 'dark';
    setTheme(name);
    remembered((store) => store.setItem('pushoff-theme', name));
  });
}

/** Uses what the browser keeps for this page, where it is allowed to keep anything. */
function remembered(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}

/** Shows the page by day or by night; without a name as the system has it. Returns whether it is night. */
function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  const isDark = name ? name === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  at('theme').setAttribute('aria-pressed', isDark);
  return isDark;
}

/** Counts the requests of the two techniques that make many: the browser lists each that is over. */
function countRequests() {
  new PerformanceObserver((list) => {
    for (const { name, initiatorType } of list.getEntries()) {
      if (initiatorType !== 'xmlhttprequest') continue;
      const transport = new URL(name).pathname.split('/')[3];
      lanes.find((lane) => lane.technique.polls && lane.technique.transport === transport)?.requested();
    }
    performance.clearResourceTimings();
  }).observe({ type: 'resource' });
}

async function render() {
  const now = performance.now();
  for (const lane of lanes) lane.render(now, marks, isRunning && !isComplete && chosen() !== 'chat', publisher);
  lanes.forEach(({ shown }, lane) => STRIP.forEach((name, column) => { strip[lane][column].textContent = shown[name]; }));
  at('published').textContent = `${figures.count(publisher.sent)}${publisher.givenUp ? `, given up ${publisher.givenUp}` : ''}`;
  const state = notice || (publisher.refusal && `Not published: ${publisher.refusal}.`) || `${SCENARIOS[chosen()].says}${over() && ' The lanes are behind the network; publishing by POST is not.'}`;
  // A screen reader speaks whatever is written here, so it is written when it changes.
  if (at('state').textContent !== state) at('state').textContent = state;
  const holders = lanes.filter((lane) => lane.holdsConnection && lane.state !== 'queued');
  const { all } = isShared ? { all: holders.length } : await usage(holders.length);
  const dots = [...holders.map((lane) => lane.technique.transport), ...Array(Math.max(0, all - holders.length)).fill('other')];
  while (!isShared && dots.length < CONNECTIONS) dots.push('free');
  const words = isShared ? `HTTP/2: ${holders.length} of ${STREAMS} requests at a time, all on one connection` : `${holders.length} held by lanes here, ${Math.max(0, all - holders.length)} by other tabs, ${CONNECTIONS - Math.max(all, holders.length)} free`;
  if (at('wall').dataset.said === words + dots) return;
  at('wall').dataset.said = words + dots;
  at('wall').replaceChildren();
  for (const dot of dots) add(at('wall'), 'span', `dot ${dot}`).ariaHidden = 'true';
  add(at('wall'), 'span', '', words);
}

/** The memory of the page, as far as the browser tells. */
async function weigh() {
  const { memory } = performance;
  if (crossOriginIsolated && performance.measureUserAgentSpecificMemory) {
    const measured = await performance.measureUserAgentSpecificMemory().catch(() => null);
    if (measured) at('memory').textContent = `${figures.size(measured.bytes)}, as the browser measures it`;
  } else {
    at('memory').textContent = memory ? `${figures.size(memory.usedJSHeapSize)} of JavaScript heap` : 'not told by this browser';
  }
  setTimeout(weigh, MEMORY_MS);
}

/** The least step of the page's clock. */
function resolution() {
  let least = Infinity;
  for (let steps = 0, last = performance.now(); steps < 20;) {
    const now = performance.now();
    if (now > last) {
      least = Math.min(least, now - last);
      last = now;
      steps += 1;
    }
  }
  return `steps of ${figures.time(least)}${crossOriginIsolated ? ', isolated from other origins' : ''}`;
}

at('theme').hidden = false;
setTheme(remembered((store) => store.getItem('pushoff-theme')));
at('name').value = `Tab ${tab}`;
at('clock').textContent = resolution();
document.querySelector('.secret').hidden = token !== 'wanted';
document.querySelector('.network').hidden = at('network').length === 1 || isSecure;
for (const button of document.querySelectorAll('.outage')) button.hidden = outages !== 'on';
document.querySelector('[data-no-outages]').hidden = outages === 'on';
document.querySelector('[data-outages-on]').hidden = outages !== 'on';
listen();
countRequests();
begin();
setInterval(render, RENDER_MS);
render();
weigh();
