// One lane of the page: a client, the messages that it hears, and what is known of how they came.
//
// It keeps a ledger of this tab's own messages, which are numbered: whatever is neither heard nor told as missed is lost,
// and that would be shown. Latency is of those messages too, because the clocks of two pages differ.

import { Chart } from './chart.js';
import * as figures from './figures.js';
import { add } from './scenarios.js';
import { take } from './slots.js';
import { HEADS_BYTES } from './techniques.js';
import { drawWire } from './wire.js';

/** After which silence a lane that should hear something says so, beside the waits for the next message and poll. */
const SILENCE_MS = 1500;

const FIGURES = [
  ['latency', 'Median'], ['worst', 'Worst'], ['messages', 'Messages'], ['requests', 'Requests'],
  ['bytes', 'Bytes ≈'], ['missed', 'Missed'], ['resumed', 'Resumed'], ['kept', 'Text kept'],
];

const EMPTY = {
  messages: 0, first: null, last: null, own: 0, requests: 0, bytes: 0, missed: 0, lost: 0, resumed: 0,
  heardAt: null, brokeAt: null, openedAt: null, caughtUp: 0, back: '', spoken: 0,
};

export class Lane {
  #run = null;
  #client = null;
  #leave = null;
  #ledger = { ...EMPTY };
  #show;

  constructor(technique, parent) {
    this.technique = technique;
    const root = document.getElementById('lane').content.cloneNode(true).firstElementChild;
    root.classList.add(technique.transport);
    root.classList.toggle('hollow', Boolean(technique.hollow));
    const part = (selector) => root.querySelector(selector);
    part('.marker path').setAttribute('d', technique.marker);
    part('.name').textContent = technique.name;
    part('.means').textContent = technique.means;
    part('.line').textContent = technique.says;
    drawWire(part('.wire'), technique);
    this.root = root;
    this.stage = part('.stage');
    this.says = part('.says');
    this.chart = new Chart(part('.chart'));
    this.values = Object.fromEntries(FIGURES.map(([name, label]) => {
      add(part('.figures'), 'dt', '', label);
      return [name, add(part('.figures'), 'dd', name, '–')];
    }));
    this.toggle = part('.toggle');
    this.toggle.addEventListener('click', () => this.#toggle());
    this.isAvailable = technique.needs in globalThis;
    this.isOn = this.isAvailable;
    this.toggle.disabled = !this.isAvailable;
    this.#label();
    this.#state(this.isAvailable ? 'waiting' : 'unavailable');
    parent.append(root);
  }

  get holdsConnection() {
    return Boolean(this.#leave) && this.technique.holds;
  }

  /** Follows a topic from `after` on, or from now: `{ topicUrl, from, scenario, interval, token, hear }`. */
  begin(run, after = null) {
    this.end();
    this.#run = run;
    this.#ledger = { ...EMPTY };
    this.chart.clear();
    this.stage.replaceChildren();
    this.#show = run.scenario.stage(this.stage);
    if (this.isOn) this.#connect(after);
  }

  end() {
    this.#leave?.abort();
    this.#leave = null;
    this.#client?.close();
    this.#client = null;
  }

  /** Goes on from where it stands, with other options. */
  change(options) {
    this.#run = { ...this.#run, ...options };
    if (!this.#client || this.#client.isOver) return;
    const { cursor } = this.#client;
    this.end();
    this.#connect(cursor);
  }

  /** The page cut every connection. A browser repeats a long poll by itself and tells nobody: what comes next shows it. */
  cut(moment) {
    if (this.technique.polls && this.technique.holds && this.state === 'open') this.#ledger.brokeAt ??= moment;
  }

  /** Sends a payload on the connection that the lane hears by; whether it could. */
  speak(payload) {
    if (!this.technique.speaks || this.state !== 'open') return false;
    this.#client.send(payload).catch(({ message }) => this.#state('open', `Not sent: ${message}.`));
    this.#ledger.spoken += 1;
    return true;
  }

  /** A request that this technique made is over. */
  requested() {
    this.#ledger.requests += 1;
    this.#ledger.bytes += HEADS_BYTES;
  }

  #toggle() {
    this.isOn = !this.isOn;
    this.#label();
    if (this.isOn) {
      this.begin(this.#run);
    } else {
      this.end();
      this.#state('off');
    }
  }

  #label() {
    this.toggle.textContent = this.isOn ? 'On' : 'Off';
    this.toggle.setAttribute('aria-checked', this.isOn);
    this.toggle.setAttribute('aria-label', `${this.toggle.textContent}: ${this.technique.name} (${this.technique.means})`);
  }

  async #connect(after) {
    const leave = new AbortController();
    this.#leave = leave;
    if (this.technique.holds) {
      this.#state('queued');
      const release = await take(leave.signal);
      leave.signal.addEventListener('abort', release);
      if (leave.signal.aborted) {
        release();
        return;
      }
    }
    this.#state('connecting');
    const { topicUrl, interval, token } = this.#run;
    const client = new this.technique.Client(topicUrl, { after, interval, token });
    this.#client = client;
    const on = (name, act) => client.addEventListener(name, (event) => client === this.#client && act(event));
    on('open', () => this.#opened());
    on('message', (event) => this.#heard(event));
    on('missed', ({ detail }) => { this.#ledger.missed += detail ?? 0; });
    on('error', ({ detail }) => this.#broke(detail));
    on('close', ({ detail }) => this.#closed(detail));
  }

  #opened() {
    if (!this.technique.polls) this.requested();
    this.#isBack(performance.now());
    this.#state('open');
  }

  #isBack(now) {
    const ledger = this.#ledger;
    ledger.openedAt = now;
    if (ledger.brokeAt === null) return;
    ledger.resumed += 1;
    ledger.caughtUp = 0;
    ledger.back = figures.time(now - ledger.brokeAt);
    ledger.brokeAt = null;
  }

  #heard({ data, lastEventId }) {
    const ledger = this.#ledger;
    const now = performance.now();
    const { from, n, due, ...content } = JSON.parse(data);
    if (ledger.brokeAt !== null && this.state === 'open') this.#isBack(now);
    ledger.messages += 1;
    ledger.bytes += this.technique.weighs(lastEventId, data);
    ledger.heardAt = now;
    if (from === this.#run.from) {
      ledger.own += 1;
      ledger.first ??= n;
      ledger.last = n;
      if (due < ledger.openedAt) ledger.caughtUp += 1;
      this.chart.add(now, now - due);
    }
    this.#show(content);
    this.#run.hear(lastEventId, content);
  }

  #broke({ reason, retryIn }) {
    this.#ledger.brokeAt ??= performance.now();
    this.#state('broken', `${sentence(reason)}: trying again in ${figures.time(retryIn)}.`);
  }

  #closed({ wasClean, code, reason }) {
    this.#leave?.abort();
    this.#leave = null;
    this.#state('over', wasClean ? `Over: ${reason} (${code}).` : `Refused: ${reason} (${code}).`);
  }

  #state(state, text = '') {
    this.state = state;
    this.text = text;
  }

  /** Shows what there is to say; `isFed` tells that `publisher` is publishing. */
  render(now, marks, isFed, publisher) {
    const ledger = this.#ledger;
    const lost = ledger.first === null ? 0 : Math.max(0, this.#due(publisher) - ledger.own - ledger.missed);
    const silence = now - Math.max(ledger.heardAt, ledger.openedAt);
    const wait = this.technique.transport === 'short-polling' ? this.#run.interval : 0;
    const isSilent = isFed && this.state === 'open' && silence > wait + publisher.period + SILENCE_MS;
    this.root.dataset.state = isSilent ? 'silent' : this.state;
    this.says.textContent = isSilent ? `Silent for ${Math.round(silence / 1000)} s.` : this.text || this.#words();
    this.chart.render(now, marks);
    const latency = this.chart.summary();
    this.chart.describe(latency ? `median ${figures.time(latency.median)}, worst ${figures.time(latency.worst)}` : 'nothing yet');
    const { kept } = this.#client ?? {};
    const shown = {
      messages: figures.count(ledger.messages),
      latency: latency ? figures.time(latency.median) : '–',
      worst: latency ? figures.time(latency.worst) : '–',
      requests: figures.count(ledger.requests),
      bytes: figures.size(ledger.bytes),
      missed: lost ? `${ledger.missed}, lost ${lost}` : figures.count(ledger.missed),
      resumed: `${ledger.resumed}×`,
      kept: kept === undefined ? '–' : figures.size(kept),
    };
    for (const [name, value] of Object.entries(shown)) this.values[name].textContent = value;
    this.shown = shown;
  }

  /** How many of its own messages this lane should have heard by now. */
  #due(publisher) {
    const { first, last } = this.#ledger;
    return last - first + 1 - publisher.givenUpWithin(first, last);
  }

  #words() {
    const { back, caughtUp, spoken } = this.#ledger;
    switch (this.state) {
      case 'unavailable': return `Not available: this browser has no ${this.technique.needs}.`;
      case 'off': return 'Switched off.';
      case 'queued': return 'Waits for a connection: the four for streams are taken, here or in another tab.';
      case 'connecting': return 'Connecting.';
      default:
    }
    const sent = spoken ? ` Sent ${figures.count(spoken)} on this connection.` : '';
    const open = this.technique.transport === 'short-polling' ? `Asks every ${figures.time(this.#run.interval)}.` : `Connected.${sent}`;
    return back ? `${open} Was back after ${back} and caught up on ${figures.count(caughtUp)}.` : open;
  }
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);
