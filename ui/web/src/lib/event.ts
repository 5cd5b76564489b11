// Reading an event as the API gives it: a flat object of dotted names.

import type { Scalar } from './filter';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type LogEvent = { [name: string]: Json } & { _id: string };

/** One row of the detail: a list gives one for each element. */
export interface FieldRow {
  name: string;
  value: Scalar | null;
  /** The element's place in a list of more than one. */
  index: number | undefined;
}

const HEAD = new Set(['_id', '@timestamp', 'message', 'message_base64', '_stream', 'event.ingested']);

export function messageOf(event: LogEvent): string {
  return text(event.message);
}

/** Milliseconds since 1970, NaN when there is no time. */
export function timeOf(event: LogEvent): number {
  return Date.parse(text(event['@timestamp']));
}

/** The time an event is ordered and searched by: what it says, or when it came where that is not credible. */
export function filedOf(event: LogEvent): number {
  return Date.parse(text(event[event['locard.time_suspect'] === undefined ? '@timestamp' : 'event.ingested']));
}

export function text(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function firstOf(event: LogEvent, names: readonly string[]): string {
  for (const name of names) {
    const found = text(event[name]);
    if (found !== '') return found;
  }
  return '';
}

/** Who wrote the line. */
export function sourceOf(event: LogEvent): string {
  return firstOf(event, ['process.name', 'kubernetes.container.name', 'service.name', 'event.dataset']);
}

/** Where it was written. */
export function hostOf(event: LogEvent): string {
  return firstOf(event, ['kubernetes.pod.name', 'host.name', 'kubernetes.node.name', 'log.file.path']);
}

/** The fields beside the head, by name, lists unrolled. */
export function fieldRows(event: LogEvent): FieldRow[] {
  return Object.keys(event)
    .filter((name) => !HEAD.has(name))
    .sort()
    .flatMap((name) => rowsOf(name, event[name] ?? null));
}

function rowsOf(name: string, value: Json): FieldRow[] {
  if (!Array.isArray(value)) return [{ name, value: scalar(value), index: undefined }];
  return value.map((element, index) => ({ name, value: scalar(element), index: value.length > 1 ? index : undefined }));
}

function scalar(value: Json): Scalar | null {
  return value === null || typeof value !== 'object' ? value : JSON.stringify(value);
}

/** Fields by which the lines around an event can be chosen: those it has, nearest first. */
export function scopesOf(event: LogEvent): string[] {
  const names = ['log.file.path', 'kubernetes.pod.name', 'process.name', 'host.name', 'kubernetes.namespace', 'user.name', 'source.ip'];
  return names.filter((name) => text(event[name]) !== '' && !Array.isArray(event[name]));
}

/** The id that was given last. Ids are `partition-sequence`; sequences may be larger than a double holds exactly. */
export function newestId(events: readonly LogEvent[]): string | undefined {
  let newest: { id: string; sequence: bigint } | undefined;
  for (const { _id: id } of events) {
    if (!/^\d+-\d+$/.test(id)) continue;
    const sequence = BigInt(id.slice(id.indexOf('-') + 1));
    if (newest === undefined || sequence > newest.sequence) newest = { id, sequence };
  }
  return newest?.id;
}
