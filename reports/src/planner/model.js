// What a load costs over each transport: the arithmetic of src/predict and src/plan once more, on
// the laws that stand in the page. It reads from top to bottom: load -> drivers -> laws -> forecast
// of one process -> sizing -> estimate; choice.js goes on from there. Pure, but for `planner`: the
// model, the prices and the constants of the build that wrote the page.
//
// Base units throughout: users, a second, bytes, seconds. A figure is { point, interval }, the
// interval null where none is known; what is not known at all is null. scripts/interop.d/planner.mjs
// holds every figure to `pushoff plan --json`.

const packed = Uint8Array.from(atob(document.getElementById("planner-model").textContent), (letter) => letter.charCodeAt(0));
const planner = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
const { model, constants } = planner;

// Figures.

const low = (figure) => (figure.interval ? figure.interval.low : figure.point);
const high = (figure) => (figure.interval ? figure.interval.high : figure.point);
const exactly = (point) => ({ point, interval: null });
// As Math.hypot, which is many times slower.
const hypot = (one, other) => Math.sqrt(one * one + other * other);

const times = ({ point, interval }, factor) => ({
  point: point * factor,
  interval: interval && { low: interval.low * factor, high: interval.high * factor },
});

// The uncertainties of independent figures add up in squares.
const plus = (one, other) => {
  const point = one.point + other.point;
  const down = hypot(one.point - low(one), other.point - low(other));
  const up = hypot(high(one) - one.point, high(other) - other.point);
  return { point, interval: one.interval || other.interval ? { low: point - down, high: point + up } : null };
};

// What becomes of a figure, where it is known.
const of = (figure, become) => figure && become(figure);

// Whether two cannot be told apart: their difference lies within both uncertainties taken together.
const isNear = (one, other) => {
  const scaled = low(one) > 0 && low(other) > 0 ? Math.log : (value) => value;
  const half = (it) => Math.max(scaled(high(it)) - scaled(it.point), scaled(it.point) - scaled(low(it)));
  return Math.abs(scaled(one.point) - scaled(other.point)) <= hypot(half(one), half(other));
};

// Load -> drivers: what one process is asked to do each second, of messages at random times.

const KIBIBYTE = 1024;

// How often a second a patience of so many seconds runs out that each event begins anew.
const runOut = (rate, patience) => (rate * patience < 1e-9 ? 1 / patience : rate / Math.expm1(rate * patience));

// Polls a second, with messages and without.
const polls = (load, transport) => {
  if (transport === "short-polling") {
    const all = load.users / load.interval;
    const answered = all * -Math.expm1(-load.rate * load.interval);
    return [answered, all - answered];
  }
  if (transport === "long-polling") {
    // Messages that come while no poll waits are answered together by the next.
    const rate = load.rate / (load.rate * load.turnaround + 1);
    return [load.users * rate, load.users * runOut(rate, load.wait)];
  }
  return [0, 0];
};

// How often a second events of their own find the server asleep: each of them while they are rare.
const wakesOf = (events) => events / (events * constants.wakeful + 1);

// Bytes of the frame of a message that a user speaks: RFC 6455, section 5.2.
const spokenFrame = (payload) => {
  const whole = Math.round(payload);
  return payload + (whole < 126 ? 6 : whole < 65536 ? 8 : 14);
};

const driversOf = (load, transport) => {
  const { polls: isPolling, sends } = planner.transports[transport];
  const [answers, empties] = polls(load, transport);
  const [publishes, messages] = [load.topics * load.rate, load.users * load.rate];
  const isSpoken = load.direction === "both" && sends;
  const heartbeats = isPolling ? 0 : load.users * runOut(load.rate, load.heartbeat);
  // Messages that a long poll brings together are one to carry.
  const carried = transport === "long-polling" ? answers : messages;
  const kept = load.topics * Math.min(load.rate * load.kept, constants.kept_messages);
  return {
    one: 1,
    users: load.users,
    publishes: isSpoken ? 0 : publishes,
    spoken: isSpoken ? publishes : 0,
    "spoken-frames": isSpoken ? publishes * spokenFrame(load.payload) : 0,
    messages,
    cold: carried / (load.rate * constants.warm + 1),
    first: carried * Math.min(constants.first / (load.users / load.topics), 1),
    kibibytes: (messages * load.payload) / KIBIBYTE,
    answers,
    empties,
    heartbeats,
    // A long poll that is answered is woken by its message.
    wakes: wakesOf(publishes + (transport === "short-polling" ? answers : 0) + empties + heartbeats),
    kept,
    "kept-kibibytes": (kept * load.payload) / KIBIBYTE,
    event: 0,
    queue: 0,
  };
};

// Drivers -> laws: so much each.

const costOf = (law, drivers) => {
  let cost = 0;
  for (const [driver, value] of law.terms) cost += value * drivers[driver];
  return cost;
};

const predict = (law, drivers, widening) => {
  const point = costOf(law, drivers);
  if (point <= 0) return exactly(0);
  const counts = law.terms.map(([driver]) => drivers[driver]);
  let variance = 0;
  // Of a symmetric matrix the lower triangle stands in the page.
  law.covariance.forEach((row, one) =>
    row.forEach((covariance, other) => {
      variance += (one === other ? 1 : 2) * covariance * counts[one] * counts[other];
    }),
  );
  const half = law.reach * Math.sqrt(Math.max(variance, 0) / point ** 2 + law.scatter ** 2) * widening;
  return { point, interval: { low: point * Math.exp(-half), high: point * Math.exp(half) } };
};

const laws = Object.fromEntries(model.transports.map((it) => [it.transport, it.laws]));
const bounds = Object.fromEntries(model.range.bounds.map((it) => [it.dimension, it]));

// How far outside what was measured a load lies, a dimension at a time.
const beyondOf = (load, transport) => {
  const values = {
    users: load.users,
    rate: load.rate,
    payload: load.payload,
    audience: load.users / load.topics,
    interval: transport === "short-polling" ? load.interval : null,
  };
  const beyond = [];
  for (const { dimension, low, high } of model.range.bounds) {
    const value = values[dimension];
    if (value === null) continue;
    const below = value < low;
    const times = below ? low / Math.max(value, Number.MIN_VALUE) : value / high;
    if (times > 1 + 1e-9) beyond.push({ dimension, times, below });
  }
  return beyond;
};

const busyOf = (law, drivers) => costOf(law, drivers) / 1e9;

// How long one event has the server busy, and how long it waits for those before it. What silence
// costs, heartbeats and empty long polls, is no part of it.
const queueing = (drivers, load, transport) => {
  const law = laws[transport].processor;
  const published = load.topics * load.rate;
  const isPolled = transport === "short-polling";
  const own = isPolled ? drivers : { ...drivers, heartbeats: 0, empties: 0, wakes: Math.min(drivers.wakes, published) };
  const events = isPolled ? drivers.answers + drivers.empties : published;
  const utilisation = busyOf(law, drivers);
  if (events <= 0 || utilisation >= 1) return;
  drivers.event = busyOf(law, own) / events;
  drivers.queue = (drivers.event * utilisation) / (2 * (1 - utilisation));
};

// What one process needs and does. Busier than any that was measured it may be past its knee, and
// its latency is not known.
const forecast = (transport, load) => {
  const beyond = beyondOf(load, transport);
  const widening = beyond.reduce((sum, it) => sum + Math.log2(it.times), 1);
  const drivers = driversOf(load, transport);
  const utilisation = busyOf(laws[transport].processor, drivers);
  const requests = drivers.answers + drivers.empties;
  queueing(drivers, load, transport);
  const cost = (quantity) => {
    const law = laws[transport][quantity];
    const isLatency = quantity === "latency-p50" || quantity === "latency-p99";
    return law && !(isLatency && utilisation > model.range.utilisation) ? predict(law, drivers, widening) : null;
  };
  return { beyond, utilisation, requests, cost };
};

// Forecast -> sizing: as few processes as can carry the users, who stay with the others of their topic.

const audienceOf = (needs) => Math.min(needs.audience ?? needs.users, needs.users);

const loadOf = (needs, users, interval) => ({
  users,
  topics: Math.max(users / audienceOf(needs), 1),
  rate: needs.rate,
  payload: needs.payload,
  direction: needs.direction,
  interval,
  wait: constants.wait,
  heartbeat: constants.heartbeat,
  turnaround: needs.rtt,
  kept: constants.kept,
});

// Half a round trip to a user, and as much before it where a user speaks.
const wayOf = (needs) => (needs.direction === "both" ? needs.rtt : needs.rtt / 2);

// Seconds that a share of the updates do not exceed beside what the server takes: waiting for a poll,
// and on the network.
const onTheWay = (transport, needs, share, interval) => {
  if (transport === "short-polling") return share * interval + wayOf(needs);
  const gap = (needs.rate * needs.rtt) / (needs.rate * needs.rtt + 1);
  const unheard = transport === "long-polling" && gap > 0 ? needs.rtt * Math.max(1 - (1 - share) / gap, 0) : 0;
  return unheard + wayOf(needs);
};

// The largest of a range for which something holds that holds for the smallest.
const largest = (least, most, holds) => {
  let [below, above] = [Math.log(least), Math.log(most)];
  for (let step = 0; step < constants.halvings; step += 1) {
    const middle = (below + above) / 2;
    if (holds(Math.exp(middle))) below = middle;
    else above = middle;
  }
  return Math.exp(below);
};

// As few processes as can carry the users, and where those would be too late, as few as are in time.
const sizing = (transport, needs, interval) => {
  const most = bounds.users.high;
  const limit = Math.min(constants.target, model.range.utilisation);
  const carries = (users) => busyOf(laws[transport].processor, driversOf(loadOf(needs, users, interval), transport)) <= limit;
  if (!carries(1) && !carries(most)) return { unfit: "too-much" };
  let users = carries(most) ? most : largest(1, most, carries);
  const isInTime = (some) => {
    const p99 = forecast(transport, loadOf(needs, some, interval)).cost("latency-p99");
    const beside = onTheWay(transport, needs, constants.share, interval);
    return p99 !== null && high(p99) / 1e9 + beside <= needs.staleness * (1 - constants.margin);
  };
  const least = Math.min(bounds.users.low, users);
  // Short polling's interval makes up for what its answers take.
  if (transport !== "short-polling" && !isInTime(users) && isInTime(least)) users = largest(least, users, isInTime);
  const processes = Math.max(1, Math.ceil((needs.users / users) * (1 - constants.slack)));
  const load = loadOf(needs, needs.users / processes, interval);
  return { processes, load, forecast: forecast(transport, load) };
};

// Short polling as slow as the staleness allows, less the upper end of what an answer takes.
const polling = (needs) => {
  const room = needs.staleness - wayOf(needs);
  const least = bounds.interval.low / constants.shorter;
  if (room <= least) return { unfit: "too-fresh" };
  let interval = Math.min(room, constants.keep_alive);
  for (let round = 0; round < constants.corrections; round += 1) {
    const sized = sizing("short-polling", needs, interval);
    if (sized.unfit) return sized;
    const latency = sized.forecast.cost("latency-p99");
    interval = Math.min(room - (latency ? high(latency) / 1e9 : 0), constants.keep_alive);
    if (interval <= least) return { unfit: "too-fresh" };
  }
  return sizing("short-polling", needs, interval);
};

// Sizing -> estimate, with the names of `plan --json`.

// Loopback's segments hold 64 KiB: on the way to a user as many more are needed as hold the bytes.
const onEthernet = (segments, bytes) => {
  const least = times(bytes, 1 / constants.segment);
  return least.point > segments.point ? least : segments;
};

// Bytes of one direction with the headers of TCP and IP, of which some follow from theory.
const flow = (bytes, segments, moreBytes, moreSegments) =>
  bytes && segments && plus(
    plus(bytes, exactly(moreBytes)),
    times(plus(onEthernet(segments, bytes), exactly(moreSegments)), constants.headers),
  );

const traffic = (transport, needs, { processes, load, forecast }, posts) => {
  const { polls, sends, request_head } = planner.transports[transport];
  const all = (quantity) => of(forecast.cost(quantity), (it) => times(it, processes));
  let up = exactly(0);
  // Polls weigh what a browser's do; what is published to several processes is spoken to one.
  if (polls) up = exactly(forecast.requests * processes * request_head);
  else if (sends && needs.direction === "both")
    up = of(all("bytes-up"), (it) => times(it, Math.min(load.users / audienceOf(needs), 1)));
  const post = constants.publish_head + needs.payload;
  return [
    flow(all("bytes-down"), all("segments-down"), posts * constants.publish_answer, posts),
    flow(up, all("segments-up"), posts * post, posts * (Math.max(post / constants.segment, 1) + 1)),
  ];
};

const standingOf = (p99, needed) => {
  if (!p99) return ["undecided", "latency-unknown"];
  if (high(p99) <= needed) return ["meets", null];
  return low(p99) > needed ? ["fails", "too-late"] : ["undecided", "cannot-tell"];
};

// How often an hour a phone's radio wakes for it.
const wakeupsOf = (transport, needs, interval) => {
  const { tail, wait, heartbeat } = constants;
  if (transport === "short-polling") return interval > tail ? 3600 / interval : 0;
  const isPolling = planner.transports[transport].polls;
  const rate = isPolling ? needs.rate / (needs.rate * needs.rtt + 1) : needs.rate;
  const patience = isPolling ? wait : heartbeat;
  return patience > tail ? ((3600 * rate) / -Math.expm1(-rate * patience)) * Math.exp(-rate * tail) : 0;
};

const moneyOf = (cores, memory, down, up, prices) => {
  const month = (flow, price) => times(flow, (constants.month / 1e9) * price);
  const servers = plus(times(cores, prices.core_month), times(memory, prices.gib_month / constants.gibibyte));
  return plus(plus(servers, month(down, prices.egress_gb)), month(up, prices.ingress_gb));
};

const estimate = (transport, needs, prices) => {
  const sized = transport === "short-polling" ? polling(needs) : sizing(transport, needs, 1);
  if (sized.unfit) return { transport, standing: "fails", reason: sized.unfit, beyond: [] };
  const { processes, load, forecast } = sized;
  const all = (quantity) => of(forecast.cost(quantity), (it) => times(it, processes));
  const spoken = needs.direction === "both" ? (needs.users * needs.rate) / audienceOf(needs) : 0;
  const posts = planner.transports[transport].sends ? 0 : spoken;
  const [down, up] = traffic(transport, needs, sized, posts);
  const cores = of(all("processor"), (it) => times(it, 1 / (1e9 * constants.target)));
  const [process, kernel] = [all("process-memory"), all("kernel-memory")];
  const memory = process && kernel && plus(process, kernel);
  const late = (quantity, share) => {
    const more = onTheWay(transport, needs, share, load.interval) * 1e9;
    return of(forecast.cost(quantity), (it) => plus(it, exactly(more)));
  };
  const p99 = late("latency-p99", constants.share);
  const [standing, reason] = standingOf(p99, needs.staleness * 1e9);
  return {
    transport,
    standing,
    reason,
    cores,
    memory_bytes: memory,
    bandwidth_bytes_per_second: down && up && plus(down, up),
    connections: exactly(needs.users),
    requests_per_second: exactly(forecast.requests * processes + posts),
    p50_ns: late("latency-p50", 0.5),
    p99_ns: p99,
    money_a_month: cores && memory && down && up && moneyOf(cores, memory, down, up, prices),
    interval_s: transport === "short-polling" ? load.interval : null,
    wakeups_an_hour: wakeupsOf(transport, needs, load.interval),
    beyond: forecast.beyond,
  };
};
