import { expect, it } from 'vitest';
import type { Json } from './event';
import { align, cell, jsonLines, sortRows } from './table';

const ROWS: Json[][] = [['b', 2], [null, 10], ['a', null], ['a10', 1], ['a9', 3]];
const first = (rows: Json[][]): Json[] => rows.map((row) => row[0] ?? null);

it('sorts texts as people count, numbers as numbers, missing last', () => {
  expect(first(sortRows(ROWS, 0, false))).toEqual(['a', 'a9', 'a10', 'b', null]);
  expect(first(sortRows(ROWS, 0, true))).toEqual(['b', 'a10', 'a9', 'a', null]);
  expect(first(sortRows(ROWS, 1, true))).toEqual([null, 'a9', 'b', 'a10', 'a']);
  expect(first(ROWS)).toEqual(['b', null, 'a', 'a10', 'a9']);
});

it('aligns numbers', () => expect([align(ROWS, 0), align(ROWS, 1), align([], 0)]).toEqual([false, true, false]));

it.each<[Json, string]>([
  [1234.5, '1,234.5'],
  [null, '–'],
  ['2026-03-01T06:41:00Z', '2026-03-01 06:41:00.000'.replace('.000', '')],
  ['2026-03-01T06:41:07.120Z', '2026-03-01 06:41:07.120'],
  ['a\nb', 'a↵b'],
  [['x', 1], '["x",1]'],
])('cell %j', (value, expected) => expect(cell(value, 'utc')).toBe(expected));

it('writes rows as objects', () => {
  expect(jsonLines({ columns: ['n', 'm'], rows: [[1, 'x'], [2, null]] }, 1)).toBe('{"n":1,"m":"x"}');
});
