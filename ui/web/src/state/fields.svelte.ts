// The fields of what the query matched, and the most frequent values of those that are unfolded.

import { asApiError, isAbort } from '../api/client';
import { fields, values, type Field, type Scope, type Values } from '../api/fields';
import { splitPipes } from '../lib/query';
import { lackOf } from '../lib/partial';
import { bounds, type Range } from '../lib/range';

const TOP = 10;

class Fields {
  all = $state.raw<Field[]>([]);
  loading = $state(false);
  error = $state('');
  /** Why fields may be missing and counts too low; empty when they are not. */
  lack = $state('');
  open = $state.raw<ReadonlySet<string>>(new Set());
  values = $state.raw<ReadonlyMap<string, Values | string>>(new Map());
  #scope: Scope = { q: '', start: '', end: '' };
  #stop = new AbortController();

  async run(q: string, range: Range): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#scope = { q: splitPipes(q).filter, ...bounds(range, Date.now()) };
    this.loading = true;
    try {
      const found = await fields(this.#scope, this.#stop.signal);
      this.all = found.fields;
      this.lack = lackOf(found);
      this.error = '';
    } catch (error) {
      if (isAbort(error)) return;
      this.error = asApiError(error).message;
    }
    this.loading = false;
    for (const name of this.open) void this.#load(name);
  }

  toggle(name: string): void {
    const open = new Set(this.open);
    if (!open.delete(name)) open.add(name);
    this.open = open;
    if (open.has(name)) void this.#load(name);
  }

  /** Unfolds a field; used by the detail's Σ. */
  show(name: string): void {
    if (!this.open.has(name)) this.toggle(name);
  }

  async #load(name: string): Promise<void> {
    try {
      this.#put(name, await values(name, this.#scope, TOP, this.#stop.signal));
    } catch (error) {
      if (!isAbort(error)) this.#put(name, asApiError(error).message);
    }
  }

  #put(name: string, found: Values | string): void {
    this.values = new Map(this.values).set(name, found);
  }
}

export const fieldList = new Fields();
