// Time ranges as people write them: both ends are a relative time (`now-1h`), an RFC 3339 time, or empty for "no limit".

import type { Zone } from './format';

export interface Range {
  start: string;
  end: string;
}

/** Half-open, in milliseconds since 1970. `undefined` means no limit. */
export interface Interval {
  from: number | undefined;
  to: number | undefined;
}

export const ALL: Range = { start: '', end: '' };
export const DEFAULT: Range = { start: 'now-1h', end: '' };

export const PRESETS: readonly { label: string; range: Range }[] = [
  { label: 'Last 5 min', range: { start: 'now-5m', end: '' } },
  { label: 'Last 15 min', range: { start: 'now-15m', end: '' } },
  { label: 'Last 1 h', range: { start: 'now-1h', end: '' } },
  { label: 'Last 6 h', range: { start: 'now-6h', end: '' } },
  { label: 'Last 24 h', range: { start: 'now-24h', end: '' } },
  { label: 'Last 7 d', range: { start: 'now-7d', end: '' } },
  { label: 'Last 30 d', range: { start: 'now-30d', end: '' } },
  { label: 'All time', range: ALL },
];

const UNIT_MS: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

/** A date, or a date and a time of day, and perhaps a zone. */
const DATED = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

/** The instant of one end, as the server reads it: in UTC where no zone is named. `undefined` when empty or not readable here. */
export function instant(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return now;
  const relative = /^now-(\d+)([smhdw])$/.exec(trimmed);
  if (relative) return now - Number(relative[1]) * (UNIT_MS[relative[2] ?? ''] ?? 0);
  return dated(trimmed, 'utc');
}

function dated(text: string, zone: Zone): number | undefined {
  const [, date, time = '00:00', named] = DATED.exec(text) ?? [];
  if (date === undefined) return undefined;
  const at = Date.parse(`${date}T${time}${named?.toUpperCase() ?? (zone === 'utc' ? 'Z' : '')}`);
  return Number.isNaN(at) ? undefined : at;
}

/** An end as a person writes it who reads times in this zone: one that names no zone becomes the instant that is meant. */
export function settle(text: string, zone: Zone): string {
  const trimmed = text.trim();
  const at = DATED.exec(trimmed)?.[3] === undefined ? dated(trimmed, zone) : undefined;
  return at === undefined ? trimmed : iso(at);
}

/**
 * What the server is asked for. Relative ends become instants: every page of one answer is about the same interval. An open end stays
 * open, and what cannot be read here is left to the server, which reads more, or says what is wrong with it.
 */
export function bounds(range: Range, now: number): Range {
  const bound = (text: string): string => {
    const at = instant(text, now);
    return at === undefined ? text.trim() : iso(at);
  };
  return { start: bound(range.start), end: bound(range.end) };
}

/** Whether both ends can be read and stand in order. An empty end is no limit. */
export function problemOf(range: Range, now: number): string | undefined {
  const [from, to] = [instant(range.start, now), instant(range.end, now)];
  if (range.start.trim() !== '' && from === undefined) return `"${range.start}" is no time: try now-2h or 2026-03-01T12:00:00Z`;
  if (range.end.trim() !== '' && to === undefined) return `"${range.end}" is no time: try now or 2026-03-01T13:00:00Z`;
  if (from !== undefined && to !== undefined && from >= to) return 'the start must be before the end';
  return undefined;
}

export function resolve(range: Range, now: number): Interval {
  return { from: instant(range.start, now), to: instant(range.end, now) };
}

/** The preset's label, or undefined when the range is none of them. */
export function presetLabel(range: Range): string | undefined {
  const end = range.end === 'now' ? '' : range.end;
  return PRESETS.find((preset) => preset.range.start === range.start && preset.range.end === end)?.label;
}

/** An exact range for the URL; milliseconds are kept only where there are some. */
export function absolute(from: number, to: number): Range {
  return { start: iso(from), end: iso(to) };
}

function iso(at: number): string {
  return new Date(Math.round(at)).toISOString().replace('.000Z', 'Z');
}

/** The range moved by half its width, earlier (-1) or later (+1); ranges without limits stay. Never starts in the future. */
export function shift(range: Range, direction: -1 | 1, now: number): Range {
  const { from, to = now } = resolve(range, now);
  if (from === undefined) return range;
  const step = ((to - from) / 2) * direction;
  if (from + step >= now) return range;
  return absolute(from + step, to + step);
}
