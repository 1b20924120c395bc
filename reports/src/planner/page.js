// The planner's part of the page: reads the fields, and shows the plan where Rust has put that of
// the example. Nothing is fetched; nothing is computed but on input.

const part = (name) => document.getElementById(`planner-${name}`);
const slider = (name) => part(`${name}-slider`);
const typed = (name) => part(name).value.trim();
const needFields = Object.keys(planner.needs);
const priceFields = Object.keys(planner.prices);

// Text -> value: undefined where it is none that is planned for.

const allowed = (name, value) => {
  const { unit, low, high, whole } = planner.needs[name];
  return value !== null && value >= low && value <= high && (!whole || isWhole(value)) ? value : undefined;
};

const needOf = (name, text) =>
  name === "audience" && text === "all" ? null : allowed(name, parse(planner.needs[name].unit, text));

const priceOf = (name, text) => {
  if (name === "currency") return /^\S{1,8}$/u.test(text) ? text : undefined;
  const price = text === "" ? -1 : Number(text);
  return price >= 0 && price <= constants.most_price ? price : undefined;
};

// One sentence beside each field that is wrong; the values where none is.
const read = () => {
  const needs = Object.fromEntries(needFields.map((name) => [name, needOf(name, typed(name))]));
  const prices = Object.fromEntries(priceFields.map((name) => [name, priceOf(name, typed(name))]));
  const wrong = Object.entries({ ...needs, ...prices }).filter(([, value]) => value === undefined);
  const sentences = Object.fromEntries(wrong.map(([name]) => [name, planner.wrong[name]]));
  if (needs.audience > needs.users) sentences.audience = planner.wrong.larger_audience;
  for (const name of [...needFields, ...priceFields]) {
    part(`${name}-wrong`).textContent = sentences[name] ?? "";
    part(name).setAttribute("aria-invalid", name in sentences);
  }
  const direction = document.querySelector("[name=planner-direction]:checked").value;
  return Object.keys(sentences).length ? null : { needs: { ...needs, direction }, prices };
};

// Sliders, each evenly over the ratios of what it ranges over. The ends are texts of their own: `all`, `0s`.

const span = (name) => {
  const { low, high, slides_from } = planner.needs[name];
  return [slides_from ?? low, name === "audience" ? needOf("users", typed("users")) ?? high : high];
};

const placeOf = (name, value) => {
  const [from, to] = span(name);
  const share = value === null ? 1 : Math.log(value / from) / Math.log(to / from);
  return Math.round(Math.min(Math.max(share || 0, 0), 1) * slider(name).max);
};

const textAt = (name, place) => {
  const { unit, lowest, highest } = planner.needs[name];
  const [from, to] = span(name);
  if (place <= 0) return lowest;
  const text = slid(unit, from * (to / from) ** (place / slider(name).max));
  // Two digits may round beyond the end.
  return place >= slider(name).max || parse(unit, text) > to ? highest : text;
};

// Plan -> page.

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

// No line breaks between a number and its unit.
const UNIT = /(\d) (?=(?:ns|µs|ms|s|min|h|[kMG](?:\/s)?|\/s|[kMGT]?B(?:\/s)?|%)[^\w\s%/]*(?: |$))/g;
const unbroken = (prose) => prose.replace(UNIT, "$1\u00a0");

const rowOf = (transport) => part("table").querySelector(`[data-transport=${transport}]`);

// How each stands among those of its column: the best alone, or all that cannot be told from it. Of
// money what is less than a tenth is no difference.
const marksOf = (figures, key, better) => {
  const known = figures.filter((it) => it);
  if (better === "neither" || known.length < 2) return figures.map(() => "");
  const best = known.reduce((one, other) => (other.point < one.point ? other : one));
  const noise = key === "money_a_month" ? best.point * (constants.same - 1) : 0;
  const isBest = (it) => it && (isNear(it, best) || it.point - best.point < noise);
  const mark = figures.filter(isBest).length === 1 ? "best" : "tied";
  return figures.map((it) => (isBest(it) ? mark : ""));
};

const showFigure = (cell, quantity, figure, mark) => {
  cell.dataset.value = figure?.point ?? "";
  cell.dataset.low = figure?.interval?.low ?? "";
  cell.dataset.high = figure?.interval?.high ?? "";
  const point = figure ? write(quantity, figure.point) : "–";
  const interval = figure ? writeInterval(quantity, figure) : "";
  const shown = {
    best: () => element("b", "point best", point, element("span", "unseen", " (best)")),
    tied: () => element("span", "point", Object.assign(element("span", "tie", "≈"), { title: "too close to call" }), ` ${point}`),
    "": () => element("span", "point", point),
  }[mark]();
  cell.replaceChildren(shown, ...(interval ? [" ", element("small", "", interval)] : []));
};

const showTable = (plan) => {
  for (const [place, { key, quantity, better }] of planner.columns.entries()) {
    const figures = plan.transports.map((it) => (typeof it[key] === "number" ? exactly(it[key]) : it[key] ?? null));
    const marks = marksOf(figures, key, better);
    plan.transports.forEach(({ transport }, row) =>
      showFigure(rowOf(transport).cells[place + 2], quantity, figures[row], marks[row]),
    );
  }
  for (const it of plan.transports) {
    const row = rowOf(it.transport);
    row.classList.toggle("chosen", it.transport === plan.choice);
    const standing = row.querySelector(".standing");
    standing.className = `standing ${{ meets: "c-good", fails: "c-bad", undecided: "c-faint" }[it.standing]}`;
    standing.textContent = it.standing;
    row.querySelector(".beyond").hidden = it.beyond.length === 0;
  }
};

// Texts with blanks in them are quoted.
const commandOf = (direction, isOwnPrices) => {
  const flag = (name) => {
    const text = typed(name);
    return `--${name} ${/\s/.test(text) ? `'${text}'` : text}`;
  };
  const named = needFields.filter((name) => name !== "audience" || typed(name) !== "all");
  const more = [direction === "both" && "--direction both", isOwnPrices && "--prices prices.toml", planner.model_flag];
  return ["pushoff plan", ...named.map(flag), ...more.filter(Boolean)].join(" ");
};

const show = (plan) => {
  const { choice, sureness } = plan;
  const name = choice ? rowOf(choice).querySelector(".name").cloneNode(true) : element("span", "name", SURENESS[sureness].heading);
  part("choice").replaceChildren(name);
  part("sure").textContent = choice ? SURENESS[sureness].label : "";
  part("sure").className = sureness === "decided" ? "sure decided" : "sure";
  part("sentences").replaceChildren(...recommendation(plan).map((sentence) => element("p", "sentence", unbroken(sentence))));
  part("notes").replaceChildren(...notesOf(plan).map((note) => element("li", "", unbroken(note))));
  showTable(plan);
  const isOwnPrices = priceFields.some((it) => plan.prices[it] !== planner.prices[it]);
  part("command").textContent = commandOf(plan.needs.direction, isOwnPrices);
  part("own-prices").hidden = !isOwnPrices;
  const line = (it) => `${it} = ${JSON.stringify(plan.prices[it])}\n`;
  part("toml").textContent = priceFields.map(line).join("");
};

const replan = () => {
  const asked = read();
  if (!asked) return;
  const answer = answerOf(asked.needs, asked.prices);
  show({ ...asked, ...answer, changes: changesOf(asked.needs, asked.prices, answer) });
};

// Each slider where its text says, but for the one that is being moved.
const follow = (moved) => {
  for (const name of needFields) {
    const value = needOf(name, typed(name));
    if (value !== undefined && name !== moved) slider(name).value = placeOf(name, value);
    slider(name).setAttribute("aria-valuetext", part(name).value);
  }
};

part("needs").hidden = false;
part("needs").addEventListener("submit", (event) => event.preventDefault());
part("needs").addEventListener("input", ({ target }) => {
  const moved = target.dataset.slides;
  if (moved) part(moved).value = textAt(moved, Number(target.value));
  follow(moved);
  replan();
});
part("copy").hidden = false;
part("copy").addEventListener("click", async ({ target }) => {
  const command = part("command");
  getSelection().selectAllChildren(command);
  await navigator.clipboard?.writeText(command.textContent);
  target.textContent = navigator.clipboard ? "Copied" : "Selected";
});
follow();
