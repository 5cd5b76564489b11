import { expect, it } from 'vitest';
import { prepend, reveal, slice, unknown } from './rows';

it.each<[number, number, [number, number]]>([
  [0, 1000, [0, 22]],
  [2200, 1000, [88, 122]],
  [0, 3, [0, 3]],
  [999_999, 5, [5, 5]],
])('slice at %d of %d', (top, total, [first, last]) => expect(slice(top, 220, 22, total)).toEqual({ first, last }));

it.each<[number, number, number]>([
  [0, 100, 0],
  [5, 100, 100],
  [20, 100, 242],
])('reveal row %d from %d', (row, top, expected) => expect(reveal(row, top, 220, 22)).toBe(expected));

const ids = (text: string): { _id: string }[] => [...text].map((_id) => ({ _id }));
const text = (rows: { _id: string }[]): string => rows.map((row) => row._id).join('');

it('knows each id once', () => {
  const known = new Set(['c', 'b', 'a']);
  expect(text(unknown(ids('cdde'), known))).toBe('de');
  expect(text(unknown(ids('ef'), known))).toBe('f');
});

it('prepends newest first within the cap', () => {
  const next = prepend(ids('cba'), ids('de'), 4);
  expect([text(next.rows), next.dropped]).toEqual(['edcb', 1]);
});
