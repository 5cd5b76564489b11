// Where a query's words stand in a text: parts that, joined, are the text. Word ends as the language defines them.

import type { Term } from './query';

export interface Part {
  text: string;
  hit: boolean;
}

const WORD = /[\p{L}\p{N}_]/u;

/** The pattern for all terms that may stand in this field (in any text: the bare ones and, for the message, all). */
export function markPattern(terms: readonly Term[], field: string): RegExp | undefined {
  const texts = terms
    .filter((term) => term.field === '' || term.field === field || field === 'message')
    .map((term) => term.text)
    .sort((a, b) => b.length - a.length);
  if (texts.length === 0) return undefined;
  return new RegExp(texts.map(bounded).join('|'), 'giu');
}

function bounded(text: string): string {
  const escaped = text.replace(/[.*+?^${}()|[\]\\/-]/g, (char) => (char === '-' ? '\\x2d' : `\\${char}`));
  const before = WORD.test(first(text)) ? '(?<![\\p{L}\\p{N}_])' : '';
  const after = WORD.test([...text].at(-1) ?? '') ? '(?![\\p{L}\\p{N}_])' : '';
  return before + escaped + after;
}

function first(text: string): string {
  return [...text][0] ?? '';
}

/** At most this many marks a text: a hostile line shall not make a million elements. */
const MAX_MARKS = 64;

export function mark(text: string, pattern: RegExp | undefined): Part[] {
  if (pattern === undefined) return [{ text, hit: false }];
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '' || parts.length > 2 * MAX_MARKS) break;
    if (match.index > at) parts.push({ text: text.slice(at, match.index), hit: false });
    parts.push({ text: match[0], hit: true });
    at = match.index + match[0].length;
  }
  if (at < text.length || parts.length === 0) parts.push({ text: text.slice(at), hit: false });
  return parts;
}
