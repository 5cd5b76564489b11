// `/api/fields` and a field's most frequent values.

import type { Scalar } from '../lib/filter';
import { get } from './client';

export interface Field {
  name: string;
  /** How many events have it, where the server says so. */
  events: number | undefined;
  /** How many different values, where the server says so. */
  values: number | undefined;
}

export interface FieldValue {
  value: Scalar;
  count: number;
}

export interface Values {
  values: FieldValue[];
  complete: boolean;
}

export interface Scope {
  q: string;
  start: string;
  end: string;
}

type RawField = { name: string; count?: number; events?: number; cardinality?: number; values?: number; distinct?: number };

export async function fields(scope: Scope, signal: AbortSignal): Promise<Field[]> {
  const answer = await get<{ fields: RawField[] }>('/api/fields', { ...scope }, signal);
  return answer.fields.map((raw) => ({
    name: raw.name,
    events: raw.events ?? raw.count,
    values: raw.values ?? raw.cardinality ?? raw.distinct,
  }));
}

export async function values(name: string, scope: Scope, limit: number, signal: AbortSignal): Promise<Values> {
  const path = `/api/fields/${encodeURIComponent(name)}/values`;
  const answer = await get<{ values: FieldValue[]; complete?: boolean }>(path, { ...scope, limit }, signal);
  return { values: answer.values, complete: answer.complete ?? true };
}
