// A plan in words: src/plan/words.rs once more, sentence by sentence. Pure.

const SURENESS = Object.fromEntries(constants.sureness.map(([name, label, heading]) => [name, { label, heading }]));

const label = (transport) => planner.transports[transport].label;
const capitalised = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const figureText = (quantity, figure) => `${write(quantity, figure.point)} ${writeInterval(quantity, figure)}`.trim();
const needText = (need, value) => writeNeed(planner.needs[need].unit, value);
const timesText = (value) => write("ratio", value).slice(0, -1);

const list = (transports) => {
  const names = transports.map(label);
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
};

const needed = (needs) => {
  const [users, rate, payload, staleness] = ["users", "rate", "payload", "staleness"].map((need) => needText(need, needs[need]));
  return `${users} users, each with updates of ${payload} at ${rate}, within ${staleness}`;
};

const moneyText = (money, currency) =>
  `${write("count", money.point)} ${currency} a month ${writeInterval("count", money)}`.trim();

const takeText = (plan, taken) => {
  const part = (quantity, figure, what) => (figure ? [`${figureText(quantity, figure)}${what}`] : []);
  const parts = [
    ...part("count", taken.cores, " cores"),
    ...part("bytes", taken.memory_bytes, " of memory"),
    ...part("byte-rate", taken.bandwidth_bytes_per_second, " of bandwidth"),
  ];
  const money = taken.money_a_month ? `${moneyText(taken.money_a_month, plan.prices.currency)}; ` : "";
  return `Take ${label(taken.transport)} for ${needed(plan.needs)}: ${money}${parts.join(", ")} [${SURENESS[plan.sureness].label}].`;
};

const nothingText = (plan) => {
  const inTime = `${constants.share * 100} % of the updates with their user in time`;
  const open = plan.transports.filter((it) => it.standing === "undecided").map((it) => it.transport);
  if (!open.length) return `No transport has ${inTime}: ${needed(plan.needs)}.`;
  return `None is shown to have ${inTime}; ${list(open)} ${open.length === 1 ? "is" : "are"} undecided: ${needed(plan.needs)}.`;
};

// How many times another a figure is; the uncertainties add up in squares on the scale of ratios.
const over = (figure, other) => {
  if (!figure || !other || low(figure) <= 0 || low(other) <= 0) return null;
  const point = figure.point / other.point;
  const spread = (one, two) => Math.exp(hypot(Math.log(one), Math.log(two)));
  return {
    point,
    interval: {
      low: point / spread(figure.point / low(figure), high(other) / other.point),
      high: point * spread(high(figure) / figure.point, other.point / low(other)),
    },
  };
};

const othersText = (plan, taken) => {
  const parts = [];
  const tied = plan.tied.filter((it) => it !== taken.transport);
  const meeting = plan.transports.filter((it) => it.standing === "meets");
  if (meeting.length > 1 && meeting.some((it) => !it.money_a_month)) {
    parts.push("the model does not know what all of them cost: the simplest to build is taken");
  } else if (tied.length) {
    const why = "and of those within a quarter of the least it is the simplest to build";
    parts.push(`${list(tied)} ${tied.length === 1 ? "costs" : "cost"} about the same, ${why}`);
  }
  const dearer = meeting
    .filter((it) => it.transport !== taken.transport && !plan.tied.includes(it.transport))
    .map((it) => [it.transport, over(it.money_a_month, taken.money_a_month)])
    .filter(([, times]) => times)
    .sort(([, one], [, other]) => one.point - other.point)
    .map(([transport, times], place) => `${label(transport)}${place ? "" : " costs"} ${figureText("ratio", times)}${place ? "" : " as much"}`);
  if (dearer.length) parts.push(dearer.join(", "));
  if (plan.contenders.length) parts.push(`whether ${list(plan.contenders)} would do for less is undecided`);
  return parts.length ? [capitalised(`${parts.join("; ")}.`)] : [];
};

const FROM_WHERE = {
  rate: [(value) => `from about ${value} on`, (value) => `at about ${value} or less often`],
  staleness: [(value) => `where about ${value} is fresh enough`, (value) => `where it must be within about ${value}`],
  users: [(value) => `from about ${value} users on`, (value) => `with about ${value} users or fewer`],
  payload: [(value) => `from payloads of about ${value} on`, (value) => `with payloads of about ${value} or less`],
};

const changeText = ({ dimension, value, above, choice }) => {
  const about = writeAbout(planner.needs[dimension].unit, value);
  return `${FROM_WHERE[dimension][above ? 0 : 1](about)}, ${choice ? label(choice) : "none is shown to meet it"}`;
};

const recommendation = (plan) => {
  const taken = plan.transports.find((it) => it.transport === plan.choice);
  const changing = plan.changes.length
    ? `What would change it, each alone: ${plan.changes.map(changeText).join("; ")}.`
    : "Each need alone may be up to a thousand times as much or as little, and that stays so.";
  return [...(taken ? [takeText(plan, taken), ...othersText(plan, taken)] : [nothingText(plan)]), changing];
};

const whyText = ({ reason, p99_ns }, needs) => {
  const within = needText("staleness", needs.staleness);
  const p99 = p99_ns ? figureText("time", p99_ns) : "";
  return {
    "too-fresh": "its polls would have to follow each other faster than a tenth of the shortest interval that was measured",
    "too-much": `one user is more than a process at ${constants.target * 100} % carries`,
    "too-late": `its p99 is ${p99}, and ${within} is needed`,
    "cannot-tell": `its p99 of ${p99} may lie on either side of ${within}`,
    "latency-unknown": "the model does not know its latency",
  }[reason];
};

const beyondText = (plan) => {
  const parts = [];
  for (const [dimension, name] of planner.dimensions) {
    for (const below of [true, false]) {
      const concerned = plan.transports.flatMap(({ transport, beyond }) => {
        const it = beyond.find((one) => one.dimension === dimension && one.below === below);
        return it ? [{ transport, times: it.times }] : [];
      });
      if (!concerned.length) continue;
      const times = timesText(Math.max(...concerned.map((it) => it.times)));
      const how = below ? `${times} times below the least` : `${times} times the most`;
      const who = concerned.length === model.transports.length ? "all" : list(concerned.map((it) => it.transport));
      parts.push(`${name} ${how} (${who})`);
    }
  }
  return parts.length ? [`Outside what was measured, and so with wider intervals: ${parts.join("; ")}.`] : [];
};

const assumedText = ({ rtt, audience, direction }) => {
  const heard = audience === null ? "everybody hears every message" : `${writeNeed("users", audience)} users hear a message`;
  const speaks = direction === "both" ? " (the users publish: over WebSocket on their own connection, else by POST)" : "";
  const most = writeNeed("users", bounds.users.high);
  return (
    `Assumed: a round trip of ${writeTime(rtt)} to users in browsers; ${heard}${speaks}, at random times; server processes at ` +
    `most ${constants.target * 100} % busy, with at most ${most} users; no TLS, no proxy, HTTP/1.1. docs/PLANNING.md has all of it.`
  );
};

// For what the money is.
const billText = ({ transports, choice, prices }) => {
  const { transport, cores, memory_bytes, money_a_month } = transports.find((it) => it.transport === choice) ?? {};
  if (!money_a_month || money_a_month.point <= 0) return [];
  const all = money_a_month.point;
  const share = (money) => percent(Math.min(Math.max(money / all, 0), 1));
  const [processors, memory] = [cores.point * prices.core_month, (memory_bytes.point / constants.gibibyte) * prices.gib_month];
  const traffic = share(all - processors - memory);
  return [`Of the money of ${label(transport)} ${traffic} is for traffic, ${share(processors)} for cores and ${share(memory)} for memory.`];
};

const notesOf = (plan) => {
  const verbs = { fails: "fails", undecided: "is undecided" };
  const short = plan.transports
    .filter((it) => it.reason)
    .map((it) => `${capitalised(label(it.transport))} ${verbs[it.standing]}: ${whyText(it, plan.needs)}.`);
  const polls = plan.transports.filter((it) => it.interval_s).map(({ interval_s }) => {
    const most = interval_s >= constants.keep_alive ? ", the longest for which its connection is kept" : "";
    return `Short polling asks every ${write("time", interval_s * 1e9)}${most}.`;
  });
  return [...short, ...polls, ...billText(plan), ...beyondText(plan), assumedText(plan.needs), planner.origin];
};
