import { expect, it } from 'vitest';
import { paint } from './paint';

const bad = (query: string, start: number, end: number): string =>
  paint(query, { start, end }).filter((piece) => piece.bad).map((piece) => piece.text).join('');

it.each<[string, number, number, string]>([
  ['a (b', 2, 3, '('],
  ['status:>x', 7, 9, '>x'],
  ['"open', 0, 5, '"open'],
  ['a b', 1, 1, ' '],
  ['a:', 2, 2, ' '],
  ['abc', 1, 2, 'b'],
  ['abc', 9, 12, ' '],
])('marks %s from %d to %d', (query, start, end, expected) => expect(bad(query, start, end)).toBe(expected));

it('keeps the text', () => {
  expect(paint('a | top 3 b', { start: 1, end: 6 }).map((piece) => piece.text).join('')).toBe('a | top 3 b');
  expect(paint('a | top', undefined).map((piece) => piece.kind)).toEqual(['word', 'space', 'pipe', 'space', 'command']);
});
