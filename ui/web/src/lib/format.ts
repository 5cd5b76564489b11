// Numbers, durations and times as the console writes them.

export type Zone = 'local' | 'utc';

const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const NARROW = '\u202f';

export function count(value: number): string {
  return GROUPED.format(value);
}

/** A share between 0 and 1. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return `<1${NARROW}%`;
  return `${Math.round(share * 100)}${NARROW}%`;
}

/** Three significant digits: `5.0 M`. */
export function short(value: number): string {
  for (const [size, unit] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']] as const) {
    if (value >= size) return `${(value / (unit === 'k' ? 1e3 : size)).toPrecision(3)}${NARROW}${unit}`;
  }
  return count(value);
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let step = 0;
  for (; value >= 1000 && step < units.length - 1; step++) value /= 1000;
  return `${step === 0 ? value : value.toPrecision(3)}${NARROW}${units[step]}`;
}

export function millis(value: number): string {
  if (value < 1000) return `${Math.round(value)}${NARROW}ms`;
  return duration(value);
}

/** The two largest units: `2 h 5 min`. */
export function duration(ms: number): string {
  const units: [number, string][] = [[864e5, 'd'], [36e5, 'h'], [6e4, 'min'], [1e3, 's']];
  const at = units.findIndex(([size]) => ms >= size);
  if (at < 0) return `${Math.round(ms)}${NARROW}ms`;
  const [size, unit] = units[at]!;
  const [smaller, name] = units[at + 1] ?? [1, 'ms'];
  if (unit === 's') return `${(ms / 1000).toFixed(ms < 1e4 ? 1 : 0)}${NARROW}s`;
  const rest = Math.floor((ms % size) / smaller);
  return `${Math.floor(ms / size)}${NARROW}${unit}${rest > 0 ? ` ${rest}${NARROW}${name}` : ''}`;
}

export function ago(at: number, now: number): string {
  const ms = now - at;
  if (Math.abs(ms) < 1000) return 'now';
  return ms > 0 ? `${duration(ms)} ago` : `in ${duration(-ms)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

interface Clock { year: number; month: number; day: number; hour: number; minute: number; second: number; ms: number }

function clock(at: number, zone: Zone): Clock {
  const d = new Date(at);
  return zone === 'utc'
    ? { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds(), ms: d.getUTCMilliseconds() }
    : { year: d.getFullYear(), month: d.getMonth() + 1, day: d.getDate(), hour: d.getHours(), minute: d.getMinutes(), second: d.getSeconds(), ms: d.getMilliseconds() };
}

export function date(at: number, zone: Zone): string {
  const c = clock(at, zone);
  return `${c.year}-${two(c.month)}-${two(c.day)}`;
}

/** `06:41:07.120` */
export function timeOfDay(at: number, zone: Zone): string {
  const c = clock(at, zone);
  return `${two(c.hour)}:${two(c.minute)}:${two(c.second)}.${String(c.ms).padStart(3, '0')}`;
}

/** `2026-03-01 06:41:07`, without milliseconds. */
export function dateTime(at: number, zone: Zone): string {
  return `${date(at, zone)} ${timeOfDay(at, zone).slice(0, 8)}`;
}

/** `03-01 06:41`, for the ends of a range. */
export function brief(at: number, zone: Zone): string {
  return `${date(at, zone).slice(5)} ${timeOfDay(at, zone).slice(0, 5)}`;
}

export function zoneName(zone: Zone): string {
  if (zone === 'utc') return 'UTC';
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === undefined || name === '' ? 'local' : name;
}

/** Marks under an axis: round steps, at most `max` of them. */
export function ticks(from: number, to: number, max: number, zone: Zone): { at: number; text: string }[] {
  const steps = [1e3, 5e3, 15e3, 3e4, 6e4, 3e5, 6e5, 9e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 2 * 864e5, 7 * 864e5, 30 * 864e5, 365 * 864e5];
  const step = steps.find((size) => (to - from) / size <= max) ?? steps.at(-1)!;
  const offset = zone === 'utc' ? 0 : new Date(from).getTimezoneOffset() * 6e4;
  const found = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at < to; at += step) {
    found.push({ at, text: tickText(at, step, zone) });
  }
  return found;
}

function tickText(at: number, step: number, zone: Zone): string {
  if (step >= 864e5) return date(at, zone).slice(step >= 365 * 864e5 ? 0 : 5);
  const time = timeOfDay(at, zone);
  if (time.startsWith('00:00:00')) return date(at, zone).slice(5);
  return step < 6e4 ? time.slice(0, 8) : time.slice(0, 5);
}
