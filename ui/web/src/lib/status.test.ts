import { expect, it } from 'vitest';
import { groupsOf, label, show } from './status';
import type { Json } from './event';

it.each<[string, Json, string, string]>([
  ['wal_bytes', 1_500_000, 'WAL bytes', '1.50 MB'],
  ['uptime_seconds', 7500, 'Uptime', '2 h 5 min'],
  ['ready', true, 'Ready', 'yes'],
  ['events', 12_345, 'Events', '12,345'],
  ['newest', '2026-03-01T06:41:07.5Z', 'Newest', '2026-03-01 06:41:07'],
  ['oldest', null, 'Oldest', '–'],
  ['roles', ['index', 'query'], 'Roles', 'index, query'],
])('%s', (name, value, expectedLabel, expected) => {
  expect(label(name)).toBe(expectedLabel);
  expect(show(name, value, 'utc').replaceAll('\u202f', ' ')).toBe(expected);
});

it('flattens groups', () => {
  expect(groupsOf({ version: '1', server: { wal: { bytes: 1 }, oldest: null } })).toEqual([
    { name: '', facts: [['version', '1']] },
    { name: 'Server', facts: [['oldest', null]] },
    { name: 'Server · WAL', facts: [['bytes', 1]] },
  ]);
});
