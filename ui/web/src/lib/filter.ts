// Editing the filter of a query: include or exclude a value, the way the + and − buttons do. It never touches the pipes.

import { splitPipes, tokens } from './query';

/** What a field may hold in an answer. */
export type Scalar = string | number | boolean;

/** A value as the language spells it; quoted unless it is plainly one word. */
export function spell(value: Scalar): string {
  const text = String(value);
  if (typeof value !== 'string') return text;
  const isPlain = /^[\p{L}\p{N}_.][\p{L}\p{N}_.-]*$/u.test(text) && !/^(?:and|or|not|to)$/i.test(text);
  return isPlain ? text : quoted(text);
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** A field name as the language spells it. */
export function spellField(name: string): string {
  return /^[\p{L}_@](?:[\p{L}\p{N}_.@/-]*[\p{L}\p{N}_@])?$/u.test(name) ? name : quoted(name);
}

export function includeClause(field: string, value: Scalar): string {
  return `${spellField(field)}=${spell(value)}`;
}

export function excludeClause(field: string, value: Scalar): string {
  return `${spellField(field)}!=${spell(value)}`;
}

/** The query with the value asked for. */
export function include(query: string, field: string, value: Scalar): string {
  return put(query, includeClause(field, value), excludeClause(field, value));
}

/** The query with the value shut out. */
export function exclude(query: string, field: string, value: Scalar): string {
  return put(query, excludeClause(field, value), includeClause(field, value));
}

/** The query with only events that have the field. */
export function exists(query: string, field: string): string {
  return put(query, `${spellField(field)}:*`, '');
}

function put(query: string, clause: string, opposite: string): string {
  const { filter, pipes } = splitPipes(query);
  const rest = removeClause(filter, opposite);
  if (hasClause(rest, clause)) return join(rest, pipes);
  return join(rest === '' || rest === '*' ? clause : `${hasTopLevelOr(rest) ? `(${rest})` : rest} ${clause}`, pipes);
}

function join(filter: string, pipes: string): string {
  return [filter, pipes].filter((part) => part !== '').join(' ');
}

/** The clauses of the filter that stand outside brackets, with their places: token runs between white space. */
function clauses(filter: string): { text: string; start: number }[] {
  const found: { text: string; start: number }[] = [];
  let depth = 0;
  let open = false;
  for (const token of tokens(filter)) {
    if (token.kind === 'operator' && /[([{]/.test(token.text)) depth++;
    if (token.kind === 'operator' && /[)\]}]/.test(token.text)) depth--;
    if (token.kind === 'space' && depth <= 0) {
      open = false;
      continue;
    }
    const last = found.at(-1);
    if (open && last) last.text += token.text;
    else found.push({ text: token.text, start: token.start });
    open = true;
  }
  return found;
}

function hasTopLevelOr(filter: string): boolean {
  return clauses(filter).some((clause) => clause.text === 'OR');
}

/** Only a clause that is and-ed with the rest counts: not one after NOT or beside OR. */
function hasClause(filter: string, clause: string): boolean {
  return !hasTopLevelOr(filter) && indexOfClause(filter, clause) >= 0;
}

function indexOfClause(filter: string, clause: string): number {
  const all = clauses(filter);
  return all.findIndex((one, at) => one.text === clause && all[at - 1]?.text !== 'NOT');
}

function removeClause(filter: string, clause: string): string {
  if (clause === '' || hasTopLevelOr(filter)) return filter;
  const at = indexOfClause(filter, clause);
  if (at < 0) return filter;
  return clauses(filter)
    .filter((one, index) => index !== at && !(index === at - 1 && one.text === 'AND'))
    .map((one) => one.text)
    .join(' ')
    .replace(/^AND /, '');
}
