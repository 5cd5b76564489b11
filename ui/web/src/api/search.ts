// `/api/search`: events for a filter, a table when a pipe makes rows.

import type { LogEvent } from '../lib/event';
import type { Table } from '../lib/histogram';
import type { Coverage } from '../lib/partial';
import { get, type Params } from './client';

export interface Answer extends Coverage {
  events?: LogEvent[];
  table?: Table | null;
  matched: { value: number; exact: boolean };
  cursor?: string | null;
  took_ms: number;
  scanned: { splits: number; events: number; bytes: number };
}

export interface Ask {
  q: string;
  start: string;
  end: string;
  limit?: number;
  order?: 'asc' | 'desc';
  cursor?: string | undefined;
}

export function search(ask: Ask, signal: AbortSignal): Promise<Answer> {
  return get<Answer>('/api/search', { ...ask } as Params, signal);
}
