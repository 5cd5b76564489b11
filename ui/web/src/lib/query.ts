// Reading a query just well enough to colour it, mark its words in the lines and edit its filter. The server's parser is the
// judge of what a query means; nothing here refuses one.

export type TokenKind = 'word' | 'string' | 'regex' | 'field' | 'operator' | 'keyword' | 'pipe' | 'space';

export interface Token {
  kind: TokenKind;
  text: string;
  /** UTF-16 position in the query. */
  start: number;
}

/** A positive value of the filter that can be marked in a line: `field` is empty for a bare word. */
export interface Term {
  field: string;
  text: string;
}

const KEYWORD = /^(AND|OR|NOT|TO|by|as)$/;
const OPERATOR = /^(?:!=|!~|>=|<=|[:=~<>()[\]{},])/;

function quotedEnd(query: string, from: number, quote: string): number {
  for (let at = from + 1; at < query.length; at++) {
    if (query[at] === '\\') at++;
    else if (query[at] === quote) return at + 1;
  }
  return query.length;
}

/** A slash starts a regex only where a value may stand: after an operator, a bracket or white space. */
function startsValue(query: string, at: number): boolean {
  return at === 0 || /[\s:=~(,|]/.test(query[at - 1] ?? '');
}

function wordEnd(query: string, from: number): number {
  let at = from;
  while (at < query.length && !/[\s|"()[\]{},]/.test(query[at] ?? '') && !OPERATOR.test(query.slice(at, at + 2))) {
    at += query[at] === '\\' ? 2 : 1;
  }
  return Math.max(Math.min(at, query.length), from + 1);
}

function nextToken(query: string, at: number): Token {
  const token = (kind: TokenKind, end: number): Token => ({ kind, text: query.slice(at, end), start: at });
  const char = query[at] ?? '';
  const space = /^\s+/.exec(query.slice(at));
  if (space) return token('space', at + space[0].length);
  if (char === '"') return token('string', quotedEnd(query, at, '"'));
  if (char === '|') return token('pipe', at + 1);
  if (char === '/' && startsValue(query, at)) return regexToken(query, at);
  const operator = OPERATOR.exec(query.slice(at));
  if (operator) return token('operator', at + operator[0].length);
  const end = wordEnd(query, at);
  const word = query.slice(at, end);
  if (KEYWORD.test(word)) return token('keyword', end);
  return token(/^(?::|=|!=|!~|~|>|<)/.test(query.slice(end)) ? 'field' : 'word', end);
}

function regexToken(query: string, at: number): Token {
  let end = quotedEnd(query, at, '/');
  while (end < query.length && /[imsux]/.test(query[end] ?? '')) end++;
  return { kind: 'regex', text: query.slice(at, end), start: at };
}

/** The whole query as tokens, white space included: their texts joined are the query. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < query.length; ) {
    const token = nextToken(query, at);
    found.push(token);
    at = token.start + token.text.length;
  }
  return found;
}

/** Where the first pipe outside quotes and brackets stands, or the query's length. */
export function filterEnd(query: string): number {
  let depth = 0;
  for (const token of tokens(query)) {
    if (token.kind === 'operator' && /[([{]/.test(token.text)) depth++;
    else if (token.kind === 'operator' && /[)\]}]/.test(token.text)) depth--;
    else if (token.kind === 'pipe' && depth <= 0) return token.start;
  }
  return query.length;
}

/** The filter and the rest, which is empty or begins with its pipe. */
export function splitPipes(query: string): { filter: string; pipes: string } {
  const end = filterEnd(query);
  return { filter: query.slice(0, end).trim(), pipes: query.slice(end).trim() };
}

/** The text a value token stands for. */
export function unquote(text: string): string {
  const inner = text.startsWith('"') ? text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined) : text;
  return inner.replace(/\\(.)/g, '$1');
}

/** The positive literal values of the filter. Wildcards give their longest literal part; negated ones nothing. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  let field = '';
  let negated = false;
  let ordered = false;
  for (const token of tokens(query.slice(0, filterEnd(query)))) {
    if (token.kind === 'keyword') negated = token.text === 'NOT' || (negated && token.text !== 'AND' && token.text !== 'OR');
    else if (token.kind === 'field') [field, negated] = fieldOf(token.text, negated);
    else if (token.kind === 'operator') [negated, ordered] = [negated || token.text.startsWith('!'), /[<>[\]{}]/.test(token.text)];
    else if (token.kind === 'space') [field, negated] = negated && field === '' ? [field, negated] : ['', false];
    else if (token.kind === 'word' || token.kind === 'string') {
      const dashed = token.kind === 'word' && field === '' && token.text.startsWith('-');
      if (!negated && !ordered && !dashed) push(found, field, token);
      [field, negated, ordered] = ['', false, false];
    }
  }
  return found;
}

function fieldOf(text: string, negated: boolean): [string, boolean] {
  return text.startsWith('-') ? [text.slice(1), true] : [text, negated];
}

function push(found: Term[], field: string, token: Token): void {
  const literal = token.kind === 'string' ? unquote(token.text) : longestLiteral(token.text);
  if (literal !== '' && !field.startsWith('_') && !field.startsWith('@')) found.push({ field, text: literal });
}

function longestLiteral(word: string): string {
  const parts = word.split(/(?<!\\)[*?]/).map(unquote);
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '');
}
