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

const SPACE = /\s+/y;
const STRING = /"(?:\\["\\]|[^"])*"?/y;
const REGEX = /\/(?:\\.|[^/\\])+\/i?(?=[\s)|]|$)/y;
const OPERATOR = /!=|!~|>=|<=|[:=~<>]/y;
const NAME = /-?(?:[\p{L}_@]|\\[^\p{L}\p{N}])(?:[\p{L}\p{N}_.@/-]|\\[^\p{L}\p{N}])*(?=!=|!~|>=|<=|[:=~<>])/uy;
const WORD = /(?:\\[^]|[^\s()"|\\])+|\\/y;
const RANGE_WORD = /[^\s\]}"]+/y;

/** What the reader expects next: a term, a value behind an operator, or a bound within brackets. */
type Mode = 'term' | 'value' | 'range';

function match(pattern: RegExp, query: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(query)?.[0];
}

function read(query: string, at: number, mode: Mode): [TokenKind, string] {
  const char = query[at] ?? '';
  const space = match(SPACE, query, at);
  if (space !== undefined) return ['space', space];
  const string = match(STRING, query, at);
  if (string !== undefined) return [mode === 'term' && match(OPERATOR, query, at + string.length) !== undefined ? 'field' : 'string', string];
  if (mode === 'range') return /[\]}]/.test(char) ? ['operator', char] : word(match(RANGE_WORD, query, at) ?? char);
  if (char === '|') return ['pipe', char];
  if (/[()]/.test(char) || (mode === 'value' && /[[{]/.test(char))) return ['operator', char];
  const regex = match(REGEX, query, at);
  if (regex !== undefined) return ['regex', regex];
  return mode === 'value' ? word(match(WORD, query, at) ?? char) : term(query, at);
}

function term(query: string, at: number): [TokenKind, string] {
  if (/^-["(]/.test(query.slice(at, at + 2))) return ['operator', '-'];
  const name = match(NAME, query, at);
  if (name !== undefined) return ['field', name];
  const operator = match(OPERATOR, query, at);
  if (operator !== undefined) return ['operator', operator];
  return word(match(WORD, query, at) ?? query[at] ?? '');
}

function word(text: string): [TokenKind, string] {
  return [/^(?:AND|OR|NOT|TO|by|as)$/.test(text) ? 'keyword' : 'word', text];
}

function modeAfter(kind: TokenKind, text: string, mode: Mode): Mode {
  if (kind !== 'operator') return mode === 'range' ? 'range' : 'term';
  if (/[[{]/.test(text)) return 'range';
  return /[()\]}-]/.test(text) ? 'term' : 'value';
}

/** The whole query as tokens, white space included: their texts joined are the query. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  let mode: Mode = 'term';
  for (let at = 0; at < query.length; ) {
    const [kind, text] = read(query, at, mode);
    found.push({ kind, text, start: at });
    mode = modeAfter(kind, text, mode);
    at += text.length;
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

/** The text a value token or a name stands for. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text.replace(/\\([^\p{L}\p{N}])/gu, '$1');
  return text.slice(1, text.length > 1 && text.endsWith('"') ? -1 : undefined).replace(/\\(["\\])/g, '$1');
}

interface Scope {
  field: string;
  isNegated: boolean;
}

/** The positive literal values of the filter. Wildcards give their longest literal part; negated ones nothing. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  const scopes: Scope[] = [{ field: '', isNegated: false }];
  let next = { field: '', isNegated: false, isLiteral: true };
  let isRange = false;
  for (const token of tokens(query.slice(0, filterEnd(query)))) {
    const outer = scopes.at(-1) ?? { field: '', isNegated: false };
    if (token.text === 'NOT' && token.kind === 'keyword') next.isNegated = true;
    else if (token.kind === 'field') next = { ...next, ...named(token.text, next.isNegated) };
    else if (token.kind === 'operator') {
      if (token.text === '(') scopes.push({ field: next.field || outer.field, isNegated: next.isNegated || outer.isNegated });
      else if (token.text === ')' && scopes.length > 1) scopes.pop();
      if (/[[{\]}]/.test(token.text)) isRange = !isRange;
      if (/[()\]}]/.test(token.text)) next = { field: '', isNegated: false, isLiteral: true };
      else if (/^[!-]/.test(token.text)) next.isNegated = true;
      else if (/[<>~]/.test(token.text)) next.isLiteral = false;
    } else if (['word', 'string', 'regex'].includes(token.kind)) {
      const isDashed = token.kind === 'word' && next.field === '' && /^-[^-]/.test(token.text);
      const isWanted = !isRange && !isDashed && next.isLiteral && token.kind !== 'regex' && !next.isNegated && !outer.isNegated;
      if (isWanted) push(found, next.field || outer.field, token);
      next = { field: '', isNegated: false, isLiteral: true };
    }
  }
  return found;
}

function named(text: string, isNegated: boolean): Scope {
  return text.startsWith('-') ? { field: unquote(text.slice(1)), isNegated: true } : { field: unquote(text), isNegated };
}

function push(found: Term[], field: string, token: Token): void {
  const literal = token.kind === 'string' ? unquote(token.text) : longestLiteral(token.text);
  if (literal !== '' && !field.startsWith('_') && !field.startsWith('@')) found.push({ field, text: literal });
}

function longestLiteral(word: string): string {
  const parts = word.split(/(?<!\\)[*?]/).map(unquote);
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '');
}
