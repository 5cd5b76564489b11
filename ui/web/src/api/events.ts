// `/api/events/{id}` and the events around one.

import type { LogEvent } from '../lib/event';
import type { Scalar } from '../lib/filter';
import type { Coverage } from '../lib/partial';
import { get } from './client';

export interface Around extends Coverage {
  /** Oldest first, the event itself among them. */
  events: LogEvent[];
  /** Where the event itself stands. */
  index: number;
  more_before: boolean;
  more_after: boolean;
  /** What all of them have in common. */
  by: Record<string, Scalar>;
}

export interface AskAround {
  before: number;
  after: number;
  /** A field in which neighbours equal the event; empty means the same stream. */
  by: string;
  /** A further filter on the neighbours. */
  q: string;
}

export function event(id: string, signal: AbortSignal): Promise<LogEvent> {
  return get<LogEvent>(`/api/events/${encodeURIComponent(id)}`, {}, signal);
}

export function around(id: string, ask: AskAround, signal: AbortSignal): Promise<Around> {
  return get<Around>(`/api/events/${encodeURIComponent(id)}/context`, { ...ask }, signal);
}
