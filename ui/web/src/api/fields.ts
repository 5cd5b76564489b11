// `/api/fields` and a field's most frequent values.

import type { Scalar } from '../lib/filter';
import type { Coverage } from '../lib/partial';
import { get } from './client';

export interface Field {
  name: string;
  /** How many of the matched events have it. */
  count: number;
  /** The same as a share, 0 to 1. */
  coverage: number;
}

export interface FieldValue {
  value: Scalar;
  count: number;
}

export interface FieldNames extends Coverage {
  fields: Field[];
}

export interface Values extends Coverage {
  values: FieldValue[];
  distinct: { value: number; exact: boolean };
  matched: { value: number; exact: boolean };
}

export interface Scope {
  q: string;
  start: string;
  end: string;
}

export function fields(scope: Scope, signal: AbortSignal): Promise<FieldNames> {
  return get<FieldNames>('/api/fields', { ...scope }, signal);
}

export function values(name: string, scope: Scope, limit: number, signal: AbortSignal): Promise<Values> {
  return get<Values>(`/api/fields/${encodeURIComponent(name)}/values`, { ...scope, limit }, signal);
}
