// Names and values of the status page: the unit at the end of a name says how to write the number.

import type { Json } from './event';
import { text } from './event';
import { bytes, count, dateTime, duration, type Zone } from './format';

/** `wal_bytes` becomes `WAL bytes`; a unit of time is left to the value. */
export function label(name: string): string {
  const words = name.replace(/_(seconds|ms|millis)$/, '').split(/[_.]/).join(' ');
  const spelled = words.replace(/\b(wal|id|url|api)\b/gi, (word) => word.toUpperCase());
  return spelled.charAt(0).toUpperCase() + spelled.slice(1);
}

export function show(name: string, value: Json | undefined, zone: Zone): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return showNumber(name, value);
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return dateTime(Date.parse(value), zone);
  return Array.isArray(value) ? value.map(text).join(', ') : text(value);
}

function showNumber(name: string, value: number): string {
  if (/(^|_)bytes(_|$)|_size$/.test(name)) return bytes(value);
  if (name.endsWith('_seconds')) return duration(value * 1000);
  if (/_(ms|millis)$/.test(name)) return duration(value);
  return count(value);
}

export interface Group {
  name: string;
  facts: [string, Json][];
}

/** Nested objects as a flat list of groups, the path in the name; the top is the group without one. */
export function groupsOf(status: { [name: string]: Json }, path = ''): Group[] {
  const isGroup = (value: Json): value is { [name: string]: Json } => value !== null && typeof value === 'object' && !Array.isArray(value);
  const entries = Object.entries(status);
  const own: Group = { name: path, facts: entries.filter(([, value]) => !isGroup(value)) };
  const below = entries.flatMap(([name, value]) => (isGroup(value) ? groupsOf(value, [path, label(name)].filter(Boolean).join(' · ')) : []));
  return own.facts.length > 0 ? [own, ...below] : below;
}
