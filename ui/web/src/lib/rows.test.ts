import { expect, it } from 'vitest';
import { prepend, reveal, slice } from './rows';

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

it('prepends newest first, once, within the cap', () => {
  const ids = (text: string): { _id: string }[] => [...text].map((_id) => ({ _id }));
  const next = prepend(ids('cba'), ids('cde'), 4);
  expect(next.rows.map((row) => row._id).join('')).toBe('edcb');
  expect([next.added, next.dropped]).toEqual([2, 1]);
});
