import { describe, expect, it } from 'vitest';
import { ago, brief, bytes, count, dateTime, duration, millis, percent, short, ticks, timeOfDay } from './format';

const AT = Date.parse('2026-03-01T06:41:07.120Z');
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('numbers', () => {
  it.each<[number, string, string]>([
    [0, '0', '0 B'],
    [4312, '4,312', '4.31 KB'],
    [12_345, '12.3 k', '12.3 KB'],
    [5_000_000, '5.00 M', '5.00 MB'],
    [2.5e9, '2.50 G', '2.50 GB'],
  ])('%d', (value, text, size) => {
    expect(plain(short(value))).toBe(text);
    expect(plain(bytes(value))).toBe(size);
  });
  it('shares', () => expect([0, 0.004, 0.614, 1].map(percent).map(plain)).toEqual(['0 %', '<1 %', '61 %', '100 %']));
  it('groups', () => expect(count(462_461)).toBe('462,461'));
});

describe('durations', () => {
  it.each<[number, string]>([
    [6, '6 ms'],
    [1500, '1.5 s'],
    [61_000, '1 min 1 s'],
    [7_500_000, '2 h 5 min'],
    [86_400_000, '1 d'],
  ])('%d', (ms, text) => expect(plain(duration(ms))).toBe(text));
  it('ago', () => {
    expect(plain(ago(AT - 60_000, AT))).toBe('1 min ago');
    expect(plain(ago(AT + 60_000, AT))).toBe('in 1 min');
    expect(ago(AT, AT)).toBe('now');
    expect(plain(millis(3.4))).toBe('3 ms');
  });
});

describe('times', () => {
  it('in UTC', () => {
    expect(timeOfDay(AT, 'utc')).toBe('06:41:07.120');
    expect(dateTime(AT, 'utc')).toBe('2026-03-01 06:41:07');
    expect(brief(AT, 'utc')).toBe('03-01 06:41');
  });
  it('ticks are round and few', () => {
    expect(ticks(AT, AT + 3_600_000, 6, 'utc').map((tick) => tick.text)).toEqual(['06:50', '07:00', '07:10', '07:20', '07:30', '07:40']);
    expect(ticks(AT, AT + 3 * 864e5, 6, 'utc').map((tick) => tick.text)).toEqual(['12:00', '03-02', '12:00', '03-03', '12:00', '03-04']);
  });
});
