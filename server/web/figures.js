// Numbers as people read them: three significant digits with the unit that keeps them between 1 and 999.

const scale = (value, units) => {
  const [factor, unit] = units.findLast(([least]) => value >= least * 0.9995) ?? units[0];
  return `${three(value / factor)} ${unit}`.trim();
};

/** Three significant digits, without a fraction where there is none. */
function three(value) {
  if (value === 0) return '0';
  if (Number.isInteger(value) && value < 1000) return String(value);
  return value < 999.5 ? value.toPrecision(3) : String(Math.round(value));
}

export const time = (milliseconds) => scale(milliseconds, [[0.001, 'µs'], [1, 'ms'], [1000, 's']]);

export const count = (things) => scale(things, [[1, ''], [1000, 'k'], [1e6, 'M']]);

export const size = (bytes) => scale(bytes, [[1, 'B'], [1000, 'kB'], [1e6, 'MB'], [1e9, 'GB']]);
