import { expect, it } from 'vitest';
import { lackOf, together, type Coverage } from './partial';

const ALL: Coverage = { complete: true, incomplete_because: null };
const LATE: Coverage = { complete: false, incomplete_because: 'the deadline passed' };
const MUTE: Coverage = { complete: false, incomplete_because: null };

it.each<[Coverage, string]>([
  [ALL, ''],
  [LATE, 'the deadline passed'],
  [MUTE, 'the server does not say why'],
])('what %j lacks', (coverage, expected) => expect(lackOf(coverage)).toBe(expected));

it.each<[Coverage, Coverage, string]>([
  [ALL, ALL, ''],
  [ALL, LATE, 'the deadline passed'],
  [LATE, ALL, 'the deadline passed'],
  [MUTE, LATE, 'the server does not say why'],
])('%j and %j', (one, two, expected) => expect(lackOf(together(one, two))).toBe(expected));
