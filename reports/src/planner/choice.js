// Which transport to take, how sure that is, and what would change it: src/plan/{answer,change}.rs
// and src/rank/take.rs once more. Pure.

const simplicity = (transport) => planner.transports[transport].simplicity;
const bySimplicity = (one, other) => simplicity(one) - simplicity(other);

// The least cost of those that meet what is needed, and where that cannot be told, the simplest near
// it. Where one cost is not known, simplicity decides among all.
const take = (meeting) => {
  const order = ({ transport, cost }) => (cost ? cost.point : simplicity(transport));
  const sorted = [...meeting].sort((one, other) => order(one) - order(other));
  const names = (some) => some.map(({ transport }) => transport);
  let tied = names(sorted).sort(bySimplicity);
  let affordable = tied;
  if (sorted.every(({ cost }) => cost)) {
    const least = sorted[0]?.cost;
    const near = sorted.filter(({ cost }) => isNear(cost, least) || cost.point <= least.point * constants.same);
    tied = names(near);
    affordable = names(near.filter(({ cost }) => cost.point <= least.point * constants.worth_of_simplicity));
  }
  const [choice = null, next] = [...affordable].sort(bySimplicity);
  const runnerUp = next ?? names(sorted).find((it) => it !== choice) ?? null;
  return { choice, runner_up: runnerUp, tied, affordable };
};

// In what the choice and what it is weighed against lie outside what was measured, as far as the
// farthest of them.
const weighedBeyond = ({ choice, runner_up, transports }) => {
  const all = [];
  for (const one of [choice, runner_up].flatMap((it) => transports.find(({ transport }) => transport === it)?.beyond ?? [])) {
    const known = all.find((it) => it.dimension === one.dimension && it.below === one.below);
    if (known) known.times = Math.max(known.times, one.times);
    else all.push({ ...one });
  }
  return all;
};

const surenessOf = (answer) => {
  if (!answer.choice) return answer.transports.every(({ standing }) => standing === "fails") ? "nothing-meets" : "undecided";
  if (answer.contenders.length) return "provisional";
  if (weighedBeyond(answer).length) return "beyond";
  return answer.tied.length > 1 ? "too-close" : "decided";
};

const answerOf = (needs, prices) => {
  const transports = model.transports.map(({ transport }) => estimate(transport, needs, prices));
  const meeting = transports.filter(({ standing }) => standing === "meets");
  const answer = { ...take(meeting.map(({ transport, money_a_month }) => ({ transport, cost: money_a_month }))), contenders: [], transports };
  if (answer.choice) {
    const ours = transports.find(({ transport }) => transport === answer.choice).money_a_month;
    const mightCostLess = (theirs) => !theirs || !ours || low(theirs) <= high(ours);
    const open = transports.filter(({ standing, money_a_month }) => standing === "undecided" && mightCostLess(money_a_month));
    answer.contenders = open.map(({ transport }) => transport);
  }
  answer.sureness = surenessOf(answer);
  return answer;
};

// For each need and in both directions the nearest value at which another is recommended.
const changesOf = (needs, prices, now) => {
  const nearest = (need, above) => {
    const { low, high } = planner.needs[need];
    for (let step = 1; step <= constants.change_steps; step += 1) {
      const value = needs[need] * 10 ** ((above ? step : -step) / constants.change_steps_a_decade);
      if (value < low || value > high) return [];
      const { choice } = answerOf({ ...needs, [need]: value }, prices);
      if (choice !== now.choice) return [{ dimension: need, value, above, choice }];
    }
    return [];
  };
  return constants.changing.flatMap((need) => [...nearest(need, true), ...nearest(need, false)]);
};
