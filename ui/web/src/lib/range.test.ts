import { describe, expect, it } from 'vitest';
import { absolute, bounds, instant, presetLabel, problemOf, resolve, settle, shift } from './range';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('instant', () => {
  it.each<[string, string | undefined]>([
    ['now', '2026-03-01T12:00:00.000Z'],
    ['now-15m', '2026-03-01T11:45:00.000Z'],
    ['now-2d', '2026-02-27T12:00:00.000Z'],
    ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T02:00:00+02:00', '2026-03-01T00:00:00.000Z'],
    ['', undefined],
    ['yesterday-ish', undefined],
    ['now-5y', undefined],
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01 12:30', '2026-03-01T12:30:00.000Z'],
    ['2026-03-01T12:30:00.5', '2026-03-01T12:30:00.500Z'],
    ['2026-03-01t12:30z', '2026-03-01T12:30:00.000Z'],
    ['1 March 2026', undefined],
    ['2026', undefined],
    ['2026-13-01', undefined],
  ])('%s', (text, expected) => {
    const at = instant(text, NOW);
    expect(at === undefined ? undefined : new Date(at).toISOString()).toBe(expected);
  });
});

describe('what the server is asked for', () => {
  it.each<[string, string]>([
    ['now-1h', '2026-03-01T11:00:00Z'],
    ['', ''],
    ['2026-03-01T02:00:00+02:00', '2026-03-01T00:00:00Z'],
    // Read there, or refused there: never left out, which would mean all time.
    ['now-5y', 'now-5y'],
    ['now+1d12h', 'now+1d12h'],
    ['1764000000', '1764000000'],
    [' yesterday ', 'yesterday'],
  ])('%s', (text, expected) => {
    expect(bounds({ start: text, end: '' }, NOW)).toEqual({ start: expected, end: '' });
    expect(bounds({ start: '', end: text }, NOW)).toEqual({ start: '', end: expected });
  });
});

describe('settle', () => {
  const there = (text: string): string => absolute(new Date(text).getTime(), 0).start;
  it.each<[string, string, string]>([
    ['2026-03-01T12:00', '2026-03-01T12:00:00Z', there('2026-03-01T12:00:00')],
    ['2026-03-01 12:00:30', '2026-03-01T12:00:30Z', there('2026-03-01T12:00:30')],
    ['2026-03-01', '2026-03-01T00:00:00Z', there('2026-03-01T00:00:00')],
    ['2026-03-01T12:00:00+02:00', '2026-03-01T12:00:00+02:00', '2026-03-01T12:00:00+02:00'],
    [' now-1h ', 'now-1h', 'now-1h'],
    ['', '', ''],
    ['2026-13-01', '2026-13-01', '2026-13-01'],
  ])('%s', (text, utc, local) => {
    expect(settle(text, 'utc')).toBe(utc);
    expect(settle(text, 'local')).toBe(local);
  });
});

describe('problemOf', () => {
  it.each<[string, string, string | undefined]>([
    ['now-1h', '', undefined],
    ['', '', undefined],
    ['now', 'now-1h', 'the start must be before the end'],
    ['x', '', '"x" is no time: try now-2h or 2026-03-01T12:00:00Z'],
    ['', 'x', '"x" is no time: try now or 2026-03-01T13:00:00Z'],
  ])('%s to %s', (start, end, expected) => expect(problemOf({ start, end }, NOW)).toBe(expected));
});

describe('shift', () => {
  it('goes earlier by half', () => {
    expect(shift({ start: 'now-1h', end: '' }, -1, NOW)).toEqual({ start: '2026-03-01T10:30:00Z', end: '2026-03-01T11:30:00Z' });
  });
  it('goes later by half', () => {
    const range = absolute(NOW - 7_200_000, NOW - 3_600_000);
    expect(shift(range, 1, NOW)).toEqual({ start: '2026-03-01T10:30:00Z', end: '2026-03-01T11:30:00Z' });
  });
  it('leaves a range without a start', () => expect(shift({ start: '', end: '' }, -1, NOW)).toEqual({ start: '', end: '' }));
});

describe('the rest', () => {
  it('keeps milliseconds only where there are some', () => {
    expect(absolute(NOW + 250, NOW + 1000)).toEqual({ start: '2026-03-01T12:00:00.250Z', end: '2026-03-01T12:00:01Z' });
  });
  it('knows presets', () => {
    expect(presetLabel({ start: 'now-1h', end: 'now' })).toBe('Last 1 h');
    expect(presetLabel({ start: 'now-2h', end: '' })).toBeUndefined();
  });
  it('resolves open ends', () => expect(resolve({ start: '', end: 'now' }, NOW)).toEqual({ from: undefined, to: NOW }));
});
