import { describe, expect, it } from 'vitest';
import { DEFAULT } from './range';
import { isNewPlace, readPlace, writePlace, type Place } from './url';

const HOME: Place = { page: 'search', q: '', range: DEFAULT, id: undefined, tail: false, view: 'lines' };

describe('a place', () => {
  it.each<[string, Partial<Place>]>([
    ['/', {}],
    ['/status', { page: 'status' }],
    ['/?q=a+%7C+top+3+b', { q: 'a | top 3 b' }],
    ['/?start=now-15m', { range: { start: 'now-15m', end: '' } }],
    ['/?start=all', { range: { start: '', end: '' } }],
    ['/?start=2026-03-01T00%3A00%3A00Z&end=2026-03-02T00%3A00%3A00Z', { range: { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' } }],
    ['/?q=x&view=table&tail=1&id=0-7', { q: 'x', view: 'table', tail: true, id: '0-7' }],
  ])('%s reads and writes back', (address, change) => {
    const [path = '', search = ''] = address.split('?');
    const place = readPlace(path, search);
    expect(place).toEqual({ ...HOME, ...change });
    expect(writePlace(place)).toBe(address);
  });

  it('takes nonsense as home', () => expect(readPlace('/x/y', '?view=pie&tail=yes&id=')).toEqual(HOME));
});

describe('history', () => {
  it('remembers queries and ranges, not clicks', () => {
    expect(isNewPlace(HOME, { ...HOME, q: 'x' })).toBe(true);
    expect(isNewPlace(HOME, { ...HOME, id: '0-1', tail: true })).toBe(false);
  });
});
