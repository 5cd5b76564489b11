import { expect, it } from 'vitest';
import { fieldRows, filedOf, hostOf, messageOf, newestId, scopesOf, sourceOf, timeOf, type LogEvent } from './event';

const EVENT: LogEvent = {
  _id: '0-7',
  '@timestamp': '2026-03-01T06:41:07.120456789Z',
  message: 'line',
  'host.name': 'worker-07',
  'event.dataset': 'syslog',
  'process.args': ['sh', '-c'],
  'user.id': 0,
  tags: ['one'],
  odd: { a: null },
};

it('unrolls lists and sorts names', () => {
  expect(fieldRows(EVENT).map((row) => [row.name, row.value, row.index])).toEqual([
    ['event.dataset', 'syslog', undefined],
    ['host.name', 'worker-07', undefined],
    ['odd', '{"a":null}', undefined],
    ['process.args', 'sh', 0],
    ['process.args', '-c', 1],
    ['tags', 'one', undefined],
    ['user.id', 0, undefined],
  ]);
});

it('finds its head', () => {
  expect(messageOf(EVENT)).toBe('line');
  expect(sourceOf(EVENT)).toBe('syslog');
  expect(hostOf(EVENT)).toBe('worker-07');
  expect(new Date(timeOf(EVENT)).toISOString()).toBe('2026-03-01T06:41:07.120Z');
  expect(timeOf({ _id: '0-8' })).toBeNaN();
});

it('knows by what its neighbours can be chosen', () => {
  expect(scopesOf(EVENT)).toEqual(['host.name']);
});

it.each<[string[], string | undefined]>([
  [['0-9', '0-10', '0-8'], '0-10'],
  [['0-9007199254740993', '0-9007199254740992'], '0-9007199254740993'],
  [[], undefined],
])('newest of %j', (ids, expected) => expect(newestId(ids.map((_id) => ({ _id })))).toBe(expected));

it('files an event whose clock cannot be right under the time it came', () => {
  const event = { _id: '0-1', '@timestamp': '2026-03-01T12:00:00Z', 'event.ingested': '2026-03-01T13:00:00Z' };
  expect(filedOf(event)).toBe(Date.parse('2026-03-01T12:00:00Z'));
  expect(filedOf({ ...event, '@timestamp': '2099-01-01T00:00:00Z', 'locard.time_suspect': 'future' })).toBe(Date.parse('2026-03-01T13:00:00Z'));
});
