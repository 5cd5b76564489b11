import { expect, it } from 'vitest';
import { tailText, type TailState } from './tail';

it.each<[TailState, string, string]>([
  ['off', '', ''],
  ['live', 'an old problem', 'tail: live'],
  ['broken', 'The server does not answer.', 'tail: connecting again (The server does not answer.)'],
  ['ended', 'the token has expired', 'tail: ended (the token has expired)'],
])('%s', (state, problem, expected) => {
  expect(tailText(state, problem)).toBe(expected);
});
