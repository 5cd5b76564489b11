import { expect, it } from 'vitest';
import { chooseSpan } from './buckets';

it.each<[string, number, number, string]>([
  ['an hour', 3_600_000, 120, '30s'],
  ['a quarter', 900_000, 120, '10s'],
  ['a day', 86_400_000, 120, '15m'],
  ['a month', 30 * 86_400_000, 120, '6h'],
  ['a moment', 10, 120, '1s'],
  ['an age', 500 * 365 * 86_400_000, 100, '365d'],
])('%s', (_name, width, bars, expected) => expect(chooseSpan(0, width, bars).text).toBe(expected));
