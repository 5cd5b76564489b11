// What the status line says of the live tail.

export type TailState = 'off' | 'connecting' | 'live' | 'broken' | 'ended';

const WORDS: Record<TailState, string> = {
  off: '',
  connecting: 'tail: connecting',
  live: 'tail: live',
  broken: 'tail: connecting again',
  ended: 'tail: ended',
};

/** The state, and why where it is not as it should be. */
export function tailText(state: TailState, problem: string): string {
  const why = state === 'broken' || state === 'ended' ? problem : '';
  return why === '' ? WORDS[state] : `${WORDS[state]} (${why})`;
}
