// Quantities as people type them, and numbers as people read them: src/plan/units.rs and
// src/number.rs once more. Pure.

// What is typed -> base units; null where it is no such quantity.

const SUFFIXES = {
  users: { G: 1e9, M: 1e6, k: 1e3, "": 1 },
  rate: { "/s": 1, "/min": 1 / 60, "/h": 1 / 3600, "/d": 1 / 86400 },
  bytes: { KiB: 1024, kB: 1e3, MiB: 1024 ** 2, MB: 1e6, GiB: 1024 ** 3, GB: 1e9, TB: 1e12, B: 1 },
};

const TIMES = [
  [1e9, ["hours", "hour", "hrs", "hr", "h"], 3600],
  [1e9, ["minutes", "minute", "mins", "min", "m"], 60],
  [1e9, ["seconds", "second", "secs", "sec", "s"], 1],
  [1e6, ["millis", "msec", "ms"], 1],
  [1e3, ["usec", "us", "µs"], 1],
  [1, ["nanos", "nsec", "ns"], 1],
];

const parseTime = (typed) => {
  if (typed === "0") return 0;
  if (!/^\s*(\d+(\.\d+)?\s*[a-zµ]+\s*)+$/.test(typed)) return null;
  let nanoseconds = 0;
  for (const [, number, word] of typed.matchAll(/(\d+(?:\.\d+)?)\s*([a-zµ]+)/g)) {
    const unit = TIMES.find(([, words]) => words.includes(word));
    if (!unit) return null;
    nanoseconds += Math.round(Number(number) * unit[2] * unit[0]);
  }
  return nanoseconds / 1e9;
};

const parse = (unit, typed) => {
  if (unit === "time") return parseTime(typed);
  const [, number, suffix] = /^(.*[\d.])\s*(\D*)$/.exec(typed.trim()) ?? [];
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number ?? "") || !Object.hasOwn(SUFFIXES[unit], suffix)) return null;
  const factor = SUFFIXES[unit][suffix];
  const value = factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor;
  return Number.isFinite(value) ? value : null;
};

const isWhole = (value) => Math.abs(value - Math.trunc(value)) < 1e-9;

// Base units -> the unit in which it is shortest, to be parsed again.

const writeTime = (seconds) => {
  let left = Math.round(seconds * 1e9);
  if (left === 0) return "0s";
  const parts = [];
  for (const [size, suffix] of [[3600e9, "h"], [60e9, "m"], [1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]]) {
    if (left >= size) parts.push(`${Math.floor(left / size)}${suffix}`);
    left %= size;
  }
  return parts.join(" ");
};

const writeNeed = (unit, value) => {
  if (unit === "time") return writeTime(value);
  // Of powers of two only whole ones are shorter than what they stand for.
  const suits = ([suffix, factor]) =>
    value >= (unit === "rate" ? factor / 10 : factor) && (!suffix.endsWith("iB") || isWhole(value / factor));
  const inUnit = ([suffix, factor]) => `${factor < 1 ? value * Math.round(1 / factor) : value / factor}${suffix}`;
  const isShort = (text) => text.replace(/\D+$/, "").length <= 5;
  const texts = Object.entries(SUFFIXES[unit]).filter(suits).map(inUnit);
  return texts.find((text) => isShort(text) && parse(unit, text) === value) ?? `${value}${{ users: "", rate: "/s", bytes: "B" }[unit]}`;
};

// The same with two digits: a border that is known to a tenth of a decade.
const writeAbout = (unit, value) => {
  const suits = ([suffix, factor]) => value >= factor && !suffix.endsWith("iB");
  const [suffix, factor] = Object.entries(SUFFIXES[unit] ?? {}).find(suits) ?? [];
  return factor ? `${twoDigits(value / factor)}${suffix}` : writeNeed(unit, twoDigits(value));
};

// A value of a slider -> two digits with the unit that people take for it.

const SLIDES = {
  users: [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]],
  rate: [[0.1, "/s", 1], [1 / 60, "/min"], [1 / 3600, "/h"], [0, "/d", 1 / 86400]],
  bytes: [[1e3, "kB"], [1, "B"]],
  time: [[3600, "h"], [60, "m"], [1, "s"], [0, "ms", 1e-3]],
};

const slid = (unit, value) => {
  const [least, suffix, factor = least] = SLIDES[unit].find(([from]) => value * 1.005 >= from);
  const number = Number((value / factor).toPrecision(2));
  return `${factor === 1 && (unit === "users" || unit === "bytes") ? Math.round(number) : number}${suffix}`;
};

// A number -> three significant digits with the unit that keeps them between 1 and 999.

const UNITS = {
  time: [[1, " ns"], [1e3, " µs"], [1e6, " ms"], [1e9, " s"], [6e10, " min"], [3.6e12, " h"]],
  count: [[1, ""], [1e3, " k"], [1e6, " M"], [1e9, " G"]],
  rate: [[1, " /s"], [1e3, " k/s"], [1e6, " M/s"], [1e9, " G/s"]],
  ratio: [[1, "×"]],
  bytes: [[1, " B"], [1e3, " kB"], [1e6, " MB"], [1e9, " GB"], [1e12, " TB"]],
  "byte-rate": [[1, " B/s"], [1e3, " kB/s"], [1e6, " MB/s"], [1e9, " GB/s"], [1e12, " TB/s"]],
};

// As toFixed, but to the even digit where a value lies half-way, as Rust writes it.
const fixed = (value, decimals) => {
  const halves = value * 2 ** (decimals + 1);
  if (halves % 2 !== 1) return value.toFixed(decimals);
  const below = (halves * 5 ** decimals - 1) / 2;
  return ((below + (below % 2)) / 10 ** decimals).toFixed(decimals);
};

// The same of two significant digits.
const twoDigits = (value) => {
  const [digits, exponent] = value.toExponential(20).split("e");
  const isHalfWayFromEven = /^\d\.[02468]50*$/.test(digits);
  return Number(isHalfWayFromEven ? `${digits.slice(0, 3)}e${exponent}` : value.toExponential(1));
};

const thousands = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");

const threeDigits = (size) => {
  if (size === 0) return "0";
  if (size >= 999.5) return thousands(fixed(size, 0));
  const decimals = [99.95, 9.995, 0.9995, 0.09995].findIndex((least) => size >= least);
  return fixed(size, decimals < 0 ? 4 : decimals);
};

// Beyond 99.9 % it grows digits rather than round up to the whole.
const percent = (share) => {
  const value = share * 100;
  if (share >= 1) return "100 %";
  if (value <= 99.9) return `${threeDigits(value)} %`;
  const cut = (decimals) => Math.floor(value * 10 ** decimals + 1e-6) / 10 ** decimals;
  const decimals = [1, 2, 3].find((it) => value - cut(it) < 100 - value) ?? 3;
  return `${cut(decimals).toFixed(decimals)} %`;
};

const digitsOf = (value) => {
  const size = threeDigits(Math.abs(value));
  return value < 0 && size !== "0" ? `−${size}` : size;
};

const unitOf = (quantity, value) =>
  UNITS[quantity].find(([factor]) => Math.abs(value) / factor < 999.5) ?? UNITS[quantity].at(-1);

const write = (quantity, value) => {
  const [factor, suffix] = unitOf(quantity, value);
  const whole = (quantity === "count" || quantity === "bytes") && value < 999.5 && isWhole(value);
  return `${whole ? value.toFixed(0) : digitsOf(value / factor)}${suffix}`;
};

// `(1.19–1.31)` in the unit of the point, `(?)` where it reaches beyond ten times the point, and
// nothing where three digits cannot tell its ends from the point.
const writeInterval = (quantity, { point, interval }) => {
  if (!interval) return "";
  const reach = Math.max(interval.high - point, point - interval.low);
  if (reach > 9 * Math.abs(point) && Math.abs(point) > 0) return "(?)";
  const [factor] = unitOf(quantity, point);
  const [low, high, middle] = [interval.low, interval.high, point].map((value) => digitsOf(value / factor));
  return low === high && low === middle ? "" : `(${low}${low.startsWith("−") ? " to " : "–"}${high})`;
};
