// How the matched events lie in time: one `timechart` beside each search, over the query's filter alone.

import { asApiError, isAbort } from '../api/client';
import { search } from '../api/search';
import { chooseSpan } from '../lib/buckets';
import { bars, type Bar } from '../lib/histogram';
import { splitPipes } from '../lib/query';
import { absolute, resolve, type Range } from '../lib/range';

class Histogram {
  bars = $state.raw<Bar[]>([]);
  from = $state(0);
  to = $state(0);
  spanMs = $state(1000);
  spanText = $state('');
  loading = $state(false);
  error = $state('');
  /** When the newest matching event happened, looked up when the range holds none. */
  newest = $state<string | undefined>(undefined);
  #stop = new AbortController();

  async run(q: string, range: Range, maxBars: number): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.loading = true;
    try {
      await this.#load(splitPipes(q).filter, range, maxBars, this.#stop.signal);
      this.error = '';
    } catch (error) {
      if (isAbort(error)) return;
      this.error = asApiError(error).message;
      this.bars = [];
    }
    this.loading = false;
  }

  async #load(filter: string, range: Range, maxBars: number, signal: AbortSignal): Promise<void> {
    const { from, to } = await this.#limits(filter, range, signal);
    const span = chooseSpan(from, to, maxBars);
    const q = `${filter} | timechart span=${span.text} count() by log.level`.trim();
    const answer = await search({ q, ...absolute(from, to) }, signal);
    [this.from, this.to, this.spanMs, this.spanText] = [from, to, span.ms, span.text];
    this.bars = answer.table ? bars(answer.table) : [];
    this.newest = this.bars.every((bar) => bar.total === 0) ? await newestOf(filter, signal) : undefined;
  }

  /** A range without limits is drawn from the first matching event to the last. */
  async #limits(filter: string, range: Range, signal: AbortSignal): Promise<{ from: number; to: number }> {
    const now = Date.now();
    const { from, to = now } = resolve(range, now);
    if (from !== undefined) return { from, to };
    const q = `${filter} | stats min(_time) as first, max(_time) as last`.trim();
    const row = (await search({ q, start: '', end: range.end }, signal)).table?.rows[0] ?? [];
    const [first, last] = [Date.parse(String(row[0])), Date.parse(String(row[1]))];
    if (Number.isNaN(first) || Number.isNaN(last)) return { from: to - 3_600_000, to };
    return { from: first, to: Math.max(last + 1, first + 1000) };
  }
}

async function newestOf(filter: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await search({ q: filter, start: '', end: '', limit: 1 }, signal);
  const time = answer.events?.[0]?.['@timestamp'];
  return typeof time === 'string' ? time : undefined;
}

export const histogram = new Histogram();
