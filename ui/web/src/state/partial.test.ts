import { afterEach, describe, expect, it, vi } from 'vitest';
import { fieldList } from './fields.svelte';
import { histogram } from './histogram.svelte';
import { Results } from './results.svelte';

afterEach(() => vi.unstubAllGlobals());

type Reply = Record<string, unknown>;
const ALL = { complete: true, incomplete_because: null };
const PART = { complete: false, incomplete_because: 'a split cannot be read' };
const NUMBERS = { matched: { value: 1, exact: true }, took_ms: 1, scanned: { splits: 0, events: 0, bytes: 0 } };

/** A server that answers each address as `reply` says; gives what it was asked. */
function serve(reply: (url: URL) => Reply): URL[] {
  const asked: URL[] = [];
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('fetch', (address: string) => {
    const url = new URL(address, 'http://x');
    asked.push(url);
    return Promise.resolve(Response.json({ ...NUMBERS, ...reply(url) }));
  });
  return asked;
}

const event = (id: string, time: string, more: Reply = {}): Reply => ({ _id: id, '@timestamp': time, ...more });

describe('what is partial is shown as such', () => {
  it('on a later page', async () => {
    serve((url) => (url.searchParams.has('cursor') ? { events: [event('0-1', 'x')], ...PART } : { events: [event('0-2', 'x')], cursor: 'c', ...ALL }));
    const results = new Results();
    await results.run('a', { start: '', end: '' });
    expect(results.answer?.complete).toBe(true);
    await results.more();
    expect(results.events.length).toBe(2);
    expect(results.answer).toMatchObject(PART);
  });

  it('in the list of fields', async () => {
    serve(() => ({ fields: [{ name: 'a', count: 1, coverage: 1 }], ...PART }));
    await fieldList.run('a', { start: '', end: '' });
    expect([fieldList.all.length, fieldList.lack]).toEqual([1, 'a split cannot be read']);
  });

  it('in the histogram, by its bars and by the newest event', async () => {
    const table = { columns: ['_time', 'count'], rows: [['2026-03-01T12:00:00Z', 0]] };
    for (const [bars, newest] of [[PART, ALL], [ALL, PART]]) {
      serve((url) => (url.searchParams.has('limit') ? { events: [], ...newest } : { table, ...bars }));
      await histogram.run('a', { start: '2026-03-01T12:00:00Z', end: '2026-03-01T13:00:00Z' }, 60);
      expect(histogram.lack).toBe('a split cannot be read');
    }
  });
});

describe('all time', () => {
  const FIRST = event('0-1', '1970-01-01T00:00:00Z', { 'locard.time_suspect': 'before_2000', 'event.ingested': '2026-03-01T10:00:00Z' });
  const LAST = event('0-2', '2026-03-01T11:00:00Z');

  it('is drawn by the times that events are filed under', async () => {
    serve((url) => {
      if (!url.searchParams.has('limit')) return { table: { columns: ['_time', 'count'], rows: [['2026-03-01T10:00:00Z', 1]] }, ...ALL };
      return { events: [url.searchParams.get('order') === 'asc' ? FIRST : LAST], ...ALL };
    });
    await histogram.run('a', { start: '', end: '' }, 60);
    expect([histogram.error, histogram.from, histogram.to]).toEqual(['', Date.parse('2026-03-01T10:00:00Z'), Date.parse('2026-03-01T11:00:00Z') + 1]);
  });

  it('is not what an end means that cannot be read here', async () => {
    const asked = serve(() => ({ events: [LAST], table: { columns: ['_time', 'count'], rows: [] }, ...ALL }));
    const range = { start: 'now-5y', end: 'some day' };
    await new Results().run('a', range);
    await fieldList.run('a', range);
    await histogram.run('a', range, 60);
    const ends = asked.filter((url) => !url.searchParams.get('q')?.includes('timechart')).map((url) => [url.searchParams.get('start'), url.searchParams.get('end')]);
    expect(ends.length).toBeGreaterThan(3);
    expect(ends.slice(0, 4)).toEqual(ends.slice(0, 4).map(() => ['now-5y', 'some day']));
  });
});
