// The keyboard: single keys outside of inputs. The table below is also what the help sheet shows.

import { flushSync } from 'svelte';
import type { Scalar } from '../lib/filter';
import { excludeValue, includeValue, shiftRange, toggleTail } from './actions';
import { place } from './place.svelte';
import { results } from './results.svelte';
import { selection } from './selection.svelte';
import { session } from './session.svelte';

export const KEYS: readonly { keys: string[]; does: string }[] = [
  { keys: ['/'], does: 'Write the query' },
  { keys: ['Enter'], does: 'Run the query, or open the event and go to its fields' },
  { keys: ['j', 'k'], does: 'Next and previous event' },
  { keys: ['o'], does: 'Open or close the event' },
  { keys: ['c'], does: 'Context: the lines around the event' },
  { keys: ['f', 'F'], does: 'Include, exclude the focused value' },
  { keys: ['t'], does: 'Live tail on and off' },
  { keys: ['[', ']'], does: 'Earlier, later' },
  { keys: ['g', 's'], does: 'Go to Search' },
  { keys: ['g', 't'], does: 'Go to Status' },
  { keys: ['Esc'], does: 'Close what is open, stop what is running' },
  { keys: ['?'], does: 'This sheet' },
];

const FOCUS_QUERY = 'locard:focus-query';
const FOCUS_LIST = 'locard:focus-list';
const FOCUS_DETAIL = 'locard:focus-detail';
export const signals = { FOCUS_QUERY, FOCUS_LIST, FOCUS_DETAIL } as const;

let wentG = false;

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector('dialog[open]')) return;
  if (isTyping(event.target)) {
    if (event.key === 'Escape') dispatchEvent(new Event(FOCUS_LIST));
    return;
  }
  const act = wentG ? PAGES[event.key] : (ALWAYS[event.key] ?? (place.page === 'search' ? SEARCHING[event.key] : undefined));
  wentG = event.key === 'g' && !wentG;
  if (act === undefined || (event.key === 'Enter' && isButton(event.target))) return;
  event.preventDefault();
  act();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary') !== null;
}

type Acts = Record<string, (() => void) | undefined>;

const PAGES: Acts = {
  s: () => place.go({ page: 'search' }),
  t: () => place.go({ page: 'status' }),
};

const ALWAYS: Acts = {
  '?': () => (session.help = true),
  '/': focusQuery,
};

const SEARCHING: Acts = {
  j: () => selection.move(1),
  k: () => selection.move(-1),
  o: toggleDetail,
  Enter: openAndFocus,
  c: toggleContext,
  f: () => withFocusedValue(includeValue),
  F: () => withFocusedValue(excludeValue),
  t: toggleTail,
  '[': () => shiftRange(-1),
  ']': () => shiftRange(1),
  Escape: escape,
};

function focusQuery(): void {
  if (place.page !== 'search') place.go({ page: 'search' });
  drawThen(FOCUS_QUERY);
}

/** At once, not later: a person who types on must not have the next letters taken for keys. */
function drawThen(signal: string): void {
  flushSync();
  dispatchEvent(new Event(signal));
}

function toggleDetail(): void {
  if (selection.opened) selection.close();
  else openSelected();
}

function openSelected(): boolean {
  const event = results.events[Math.max(0, selection.index)];
  if (event) selection.open(event);
  return event !== undefined;
}

function openAndFocus(): void {
  if (selection.opened || openSelected()) drawThen(FOCUS_DETAIL);
}

function toggleContext(): void {
  if (!selection.opened && !openSelected()) return;
  selection.context = !selection.context;
}

function escape(): void {
  if (results.loading) results.cancel();
  else if (selection.opened) {
    selection.close();
    dispatchEvent(new Event(FOCUS_LIST));
  } else if (place.tail) toggleTail();
}

/** The value whose row holds the focus, or else the one under the pointer. */
function withFocusedValue(act: (field: string, value: Scalar) => void): void {
  const element =
    document.activeElement?.closest<HTMLElement>('[data-field]') ?? document.querySelector<HTMLElement>('[data-field]:hover');
  const { field, value } = element?.dataset ?? {};
  if (field === undefined || value === undefined) session.say('Focus a value first: Enter goes to the fields of the event.');
  else act(field, JSON.parse(value) as Scalar);
}
