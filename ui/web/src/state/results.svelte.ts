// The answer to the query: its events page by page, or its table. The old answer stays until the new one is there.

import { asApiError, isAbort, type ApiError } from '../api/client';
import { search, type Answer, type Ask } from '../api/search';
import type { LogEvent } from '../lib/event';
import type { Table } from '../lib/histogram';
import { together } from '../lib/partial';
import { bounds, type Range } from '../lib/range';
import { prepend, unknown } from '../lib/rows';

const PAGE = 200;
/** A tail may run for days: this many lines are kept. */
const KEEP = 20_000;

export class Results {
  events = $state.raw<LogEvent[]>([]);
  table = $state.raw<Table | undefined>(undefined);
  answer = $state.raw<Answer | undefined>(undefined);
  error = $state.raw<ApiError | undefined>(undefined);
  loading = $state(false);
  loadingMore = $state(false);
  /** Why older events could not be loaded; nothing loads by itself until a person tries again. */
  moreError = $state('');
  /** Lines that a tail pushed out at the bottom. */
  dropped = $state(0);
  /** Counts answers; a change means "another list". */
  generation = $state(0);
  query = $state('');
  #ask: Ask = { q: '', start: '', end: '' };
  /** Ids in the list: pages and a tail may bring the same event. */
  #known = new Set<string>();
  #stop = new AbortController();

  async run(q: string, range: Range): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#ask = { q, ...bounds(range, Date.now()), limit: PAGE };
    this.loading = true;
    this.loadingMore = false;
    try {
      this.#take(await search(this.#ask, signal), q);
    } catch (error) {
      if (isAbort(error)) return;
      this.error = asApiError(error);
    }
    this.loading = false;
  }

  #take(answer: Answer, q: string): void {
    this.answer = answer;
    this.#known = new Set();
    this.events = unknown(answer.events ?? [], this.#known);
    this.table = answer.table ?? undefined;
    this.error = undefined;
    this.dropped = 0;
    this.moreError = '';
    this.query = q;
    this.generation++;
  }

  get hasMore(): boolean {
    return (this.answer?.cursor ?? '') !== '' && this.dropped === 0;
  }

  async more(again = false): Promise<void> {
    const cursor = this.answer?.cursor;
    if (!this.hasMore || this.loadingMore || this.loading || !cursor || (this.moreError !== '' && !again)) return;
    this.loadingMore = true;
    this.moreError = '';
    const { signal } = this.#stop;
    try {
      const next = await search({ ...this.#ask, cursor }, signal);
      this.events = [...this.events, ...unknown(next.events ?? [], this.#known)];
      if (this.answer) this.answer = { ...this.answer, ...together(this.answer, next), cursor: next.cursor ?? null };
    } catch (error) {
      if (isAbort(error)) return;
      this.moreError = asApiError(error).message;
    }
    this.loadingMore = false;
  }

  /** Puts what a tail brought on top. Answers how many rows that added. */
  add(incoming: LogEvent[]): number {
    const fresh = unknown(incoming, this.#known);
    const next = prepend(this.events, fresh, KEEP);
    this.events = next.rows;
    this.dropped += next.dropped;
    return fresh.length;
  }

  cancel(): void {
    this.#stop.abort();
    this.loading = false;
  }
}

export const results = new Results();
