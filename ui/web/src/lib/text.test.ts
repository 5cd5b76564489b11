import { expect, it } from 'vitest';
import { block, oneLine } from './text';

it.each<[string, string, string]>([
  ['plain ünï 漢 😀', 'plain ünï 漢 😀', 'plain ünï 漢 😀'],
  ['a\nb\tc', 'a↵b\tc', 'a\nb\tc'],
  ['\u001b[31mred', '⟨ESC⟩[31mred', '⟨ESC⟩[31mred'],
  ['a\u202egpj.exe', 'a⟨202E⟩gpj.exe', 'a⟨202E⟩gpj.exe'],
  ['\u0000\u007f\u0085', '⟨NUL⟩⟨DEL⟩⟨85⟩', '⟨NUL⟩⟨DEL⟩⟨85⟩'],
  ['x\u200by\ufeff', 'x⟨200B⟩y⟨BOM⟩', 'x⟨200B⟩y⟨BOM⟩'],
])('%j', (text, line, pane) => {
  expect(oneLine(text)).toBe(line);
  expect(block(text)).toBe(pane);
});
