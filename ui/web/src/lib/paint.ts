// The query's text cut into pieces of one colour each, and at the ends of the error.

import { tokens, type TokenKind } from './query';

export interface Piece {
  text: string;
  kind: TokenKind | 'command';
  bad: boolean;
}

interface Span {
  start: number;
  end: number;
}

export function paint(query: string, error: Span | undefined): Piece[] {
  const bad = error && visible(error, query.length);
  const found: Piece[] = [];
  let afterPipe = false;
  for (const token of tokens(query)) {
    const kind = afterPipe && token.kind === 'word' ? 'command' : token.kind;
    if (token.kind !== 'space') afterPipe = token.kind === 'pipe';
    for (const [start, end] of cut(token.start, token.start + token.text.length, bad)) {
      found.push({ text: query.slice(start, end), kind, bad: bad !== undefined && start >= bad.start && end <= bad.end });
    }
  }
  if (bad && bad.end > query.length) found.push({ text: ' ', kind: 'space', bad: true });
  return found;
}

/** An error without width, such as "something is missing here", is shown one character wide. */
function visible(span: Span, length: number): Span {
  const start = Math.min(Math.max(0, span.start), length);
  return { start, end: Math.max(start + 1, Math.min(span.end, length)) };
}

function cut(start: number, end: number, at: Span | undefined): [number, number][] {
  const edges = [start, ...(at ? [at.start, at.end].filter((edge) => edge > start && edge < end) : []), end];
  return edges.slice(1).map((edge, index) => [edges[index] ?? start, edge]);
}
