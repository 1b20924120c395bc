// The little picture of each technique's wire: time runs to the right, the browser is above, the server below.
//
// The same three things happen at the server in all of them (the rings), so that the pictures can be compared: a filled
// dot that arrives above is a message.

const [BROWSER, SERVER, END] = [14, 54, 312];
const NEWS = [104, 176, 258];
const TRIP = 10;

const SVG = 'http://www.w3.org/2000/svg';

/** An element of SVG. */
export function draw(parent, name, attributes = {}, text = '') {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

const ask = (svg, x, kind = 'ask') => draw(svg, 'path', { class: kind, d: arrow(x, BROWSER, SERVER) });
const answer = (svg, x, kind = 'empty') => draw(svg, 'path', { class: kind, d: arrow(x, SERVER, BROWSER) });

/** A slanted line with a head, from one side to the other. */
function arrow(x, from, to) {
  const way = Math.sign(to - from);
  const end = to - 4 * way;
  return `M${x},${from + 3 * way}L${x + TRIP},${end}m-4.5,${-4 * way}l4.5,${4 * way}l1.5,${-6 * way}`;
}

function message(svg, x) {
  answer(svg, x, 'message');
  draw(svg, 'circle', { class: 'dot', cx: x + TRIP, cy: BROWSER, r: 4.5 });
}

const open = (svg, from, to, y = SERVER) => draw(svg, 'path', { class: 'open', d: `M${from},${y}H${to}` });

const PICTURES = {
  'short-polling'(svg) {
    for (let x = 20, news = [...NEWS]; x < END - 24; x += 46) {
      ask(svg, x);
      const due = news.findIndex((moment) => moment > x + TRIP);
      if (due === 0 || news.length === 0) answer(svg, x + TRIP + 3);
      else message(svg, x + TRIP + 3);
      news = due < 0 ? [] : news.slice(due);
    }
    return 'The browser asks again and again and is answered at once; news waits for the next request.';
  },
  'long-polling'(svg) {
    let asked = 20;
    for (const moment of NEWS) {
      ask(svg, asked);
      open(svg, asked + TRIP, moment);
      message(svg, moment);
      asked = moment + TRIP + 4;
    }
    ask(svg, asked);
    open(svg, asked + TRIP, END);
    return 'The browser asks, the server answers when there is news, and the browser asks again.';
  },
  'http-streaming'(svg, isHollow) {
    ask(svg, 20);
    open(svg, 20 + TRIP, END);
    if (!isHollow) draw(svg, 'path', { class: 'kept', d: `M${NEWS[0] + TRIP},${BROWSER}L${END},${BROWSER - 13}V${BROWSER}z` });
    for (const moment of NEWS) message(svg, moment);
    return `The browser asks once and the answer goes on, a message at a time${isHollow ? '' : '; what has come is kept and grows'}.`;
  },
  sse(svg) {
    ask(svg, 20);
    open(svg, 20 + TRIP, 138);
    draw(svg, 'path', { class: 'broken', d: `M134,${SERVER - 6}l8,12m0,-12l-8,12` });
    ask(svg, 150);
    open(svg, 150 + TRIP, END);
    for (const moment of NEWS) message(svg, moment);
    return 'The browser asks once and events come; where the stream breaks, the browser asks again by itself.';
  },
  websocket(svg) {
    ask(svg, 20);
    answer(svg, 33);
    open(svg, 46, END);
    open(svg, 46, END, BROWSER);
    for (const moment of NEWS) message(svg, moment);
    for (const x of [76, 214]) {
      ask(svg, x, 'message');
      draw(svg, 'circle', { class: 'dot', cx: x + TRIP, cy: SERVER, r: 4.5 });
    }
    return 'After a handshake messages go both ways on one connection.';
  },
};

/** Draws the picture of a technique. */
export function drawWire(svg, { transport, hollow }) {
  draw(svg, 'path', { class: 'side', d: `M8,${BROWSER}H${END}M8,${SERVER}H${END}` });
  const meaning = PICTURES[transport](svg, hollow);
  for (const moment of NEWS) draw(svg, 'circle', { class: 'news', cx: moment, cy: SERVER, r: 4 });
  draw(svg, 'text', { x: END, y: 71, class: 'end' }, 'time →');
  draw(svg, 'text', { x: 8, y: 71 }, 'server; ○ news');
  draw(svg, 'text', { x: 8, y: 8 }, 'browser');
  svg.setAttribute('aria-label', meaning);
}
