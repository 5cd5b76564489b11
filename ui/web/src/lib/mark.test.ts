import { expect, it } from 'vitest';
import { mark, markPattern } from './mark';
import { terms } from './query';

it.each<[string, string, string, string[]]>([
  ['failed', 'message', 'Failed password, failedx, FAILED', ['Failed', 'FAILED']],
  ['203.0.113.77', 'message', 'src=203.0.113.77:443 1203.0.113.77', ['203.0.113.77']],
  ['"failed password"', 'message', 'Failed password for root', ['Failed password']],
  ['user.name:root', 'message', 'for root from', ['root']],
  ['user.name:root', 'host.name', 'root', []],
  ['a.b', 'message', 'axb a.b', ['a.b']],
  ['"(x)-[y]"', 'message', 'f(x)-[y]', ['(x)-[y]']],
  ['', 'message', 'anything', []],
  ['ünï', 'message', 'xünï ÜNÏ', ['ÜNÏ']],
])('%s in %s of %s', (query, field, text, hits) => {
  const parts = mark(text, markPattern(terms(query), field));
  expect(parts.map((part) => part.text).join('')).toBe(text);
  expect(parts.filter((part) => part.hit).map((part) => part.text)).toEqual(hits);
});

it('stops marking a line made of nothing else', () => {
  expect(mark('a '.repeat(10_000), markPattern(terms('a'), 'message')).length).toBeLessThan(200);
});
