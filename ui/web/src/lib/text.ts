// Log content is hostile: what could move, hide or colour something becomes a visible symbol. Only text nodes are made of the result.

// Names in brackets rather than the Control Pictures of Unicode, which common monospace fonts lack.
const NAMES: Record<number, string> = { 0: 'NUL', 7: 'BEL', 8: 'BS', 11: 'VT', 12: 'FF', 27: 'ESC', 127: 'DEL', 0xfeff: 'BOM' };

/** One character that has no harmless shape of its own, as a symbol. */
function symbol(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code === 10) return '\u21b5';
  return `\u27e8${NAMES[code] ?? code.toString(16).toUpperCase().padStart(code < 0x100 ? 2 : 4, '0')}\u27e9`;
}

// C0, DEL, C1, then what turns or hides text: bidirectional controls, zero-width characters, line separators, tags, BOM.
const LINE = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;
const BLOCK = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** For a row: line feeds too become symbols, so that an event is one line. */
export function oneLine(text: string): string {
  return text.replace(LINE, symbol);
}

/** For the detail: line feeds and tabs stay. */
export function block(text: string): string {
  return text.replace(BLOCK, symbol);
}
