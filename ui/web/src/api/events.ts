// `/api/events/{id}` and the events around one.

import type { LogEvent } from '../lib/event';
import { get } from './client';

export interface Around {
  before: LogEvent[];
  event: LogEvent | undefined;
  after: LogEvent[];
}

export async function event(id: string, signal: AbortSignal): Promise<LogEvent> {
  const answer = await get<LogEvent | { event: LogEvent }>(`/api/events/${encodeURIComponent(id)}`, {}, signal);
  return '_id' in answer ? (answer as LogEvent) : (answer as { event: LogEvent }).event;
}

/** Events of the same stream around one, in the order they were written. */
export async function around(id: string, before: number, after: number, signal: AbortSignal): Promise<Around> {
  const path = `/api/events/${encodeURIComponent(id)}/context`;
  const answer = await get<Partial<Around> & { events?: LogEvent[] }>(path, { before, after }, signal);
  if (answer.before && answer.after) return { before: answer.before, event: answer.event, after: answer.after };
  const events = answer.events ?? [];
  const at = events.findIndex((one) => one._id === id);
  return { before: events.slice(0, Math.max(0, at)), event: events[at], after: events.slice(at + 1) };
}
