// How the matched events lie in time: one `timechart` beside each search, over the query's filter alone.

import { asApiError, isAbort } from '../api/client';
import { search } from '../api/search';
import { chooseSpan } from '../lib/buckets';
import { filedOf } from '../lib/event';
import { bars, type Bar } from '../lib/histogram';
import { lackOf, together, type Coverage } from '../lib/partial';
import { splitPipes } from '../lib/query';
import { absolute, ALL, bounds, resolve, type Range } from '../lib/range';

class Histogram {
  bars = $state.raw<Bar[]>([]);
  from = $state(0);
  to = $state(0);
  spanMs = $state(1000);
  spanText = $state('');
  loading = $state(false);
  error = $state('');
  /** When the newest matching event happened, looked up when the range holds none. */
  newest = $state<number | undefined>(undefined);
  /** Why bars may be too low or the newest event unknown; empty when that is not so. */
  lack = $state('');
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
    const { from, to, ...ends } = await limits(filter, range, signal);
    const span = chooseSpan(from, to, maxBars);
    const q = `${filter} | timechart span=${span.text} count() by log.level`.trim();
    const answer = await search({ q, ...absolute(from, to) }, signal);
    [this.from, this.to, this.spanMs, this.spanText] = [from, to, span.ms, span.text];
    this.bars = answer.table ? bars(answer.table) : [];
    const isEmpty = this.bars.every((bar) => bar.total === 0);
    const newest = isEmpty ? await endOf(filter, ALL, 'desc', signal) : undefined;
    this.newest = newest?.at;
    this.lack = lackOf([answer, newest].reduce<Coverage>((sum, one) => (one === undefined ? sum : together(sum, one)), ends));
  }
}

interface End extends Coverage {
  at: number | undefined;
}

/** A range that is open, or whose ends only the server can read, is drawn from the first matching event to the last. */
async function limits(filter: string, range: Range, signal: AbortSignal): Promise<{ from: number; to: number } & Coverage> {
  const now = Date.now();
  const { from, to } = resolve(range, now);
  const asked = bounds(range, now);
  const whole: Coverage = { complete: true, incomplete_because: null };
  if (from !== undefined && (to !== undefined || asked.end === '')) return { from, to: to ?? now, ...whole };
  const [first, last] = await Promise.all([endOf(filter, asked, 'asc', signal), endOf(filter, asked, 'desc', signal)]);
  const coverage = together(first, last);
  if (first.at === undefined || last.at === undefined) return { from: (to ?? now) - 3_600_000, to: to ?? now, ...coverage };
  return { from: from ?? first.at, to: Math.max(last.at + 1, first.at + 1000), ...coverage };
}

/** When the first or the last matching event was, by the time that ranges go by: one wrong clock does not spoil a chart of years. */
async function endOf(q: string, range: Range, order: 'asc' | 'desc', signal: AbortSignal): Promise<End> {
  const answer = await search({ q, ...range, limit: 1, order }, signal);
  const at = answer.events?.[0] ? filedOf(answer.events[0]) : NaN;
  return { at: Number.isNaN(at) ? undefined : at, complete: answer.complete, incomplete_because: answer.incomplete_because };
}

export const histogram = new Histogram();
