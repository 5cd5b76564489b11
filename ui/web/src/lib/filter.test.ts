import { describe, expect, it } from 'vitest';
import { exclude, exists, include, spell, type Scalar } from './filter';

describe('spell', () => {
  it.each<[Scalar, string]>([
    ['root', 'root'],
    ['203.0.113.77', '203.0.113.77'],
    ['system:node', '"system:node"'],
    ['/bin/sh', '"/bin/sh"'],
    ['two words', '"two words"'],
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ['OR', '"OR"'],
    ['and', '"and"'],
    ['a@b', '"a@b"'],
    ['ünï', 'ünï'],
    ['-x', '"-x"'],
    ['', '""'],
    [403, '403'],
    [true, 'true'],
  ])('%s', (value, expected) => expect(spell(value)).toBe(expected));
});

describe('include', () => {
  it.each<[string, string]>([
    ['', 'user.name=root'],
    ['*', 'user.name=root'],
    ['failed', 'failed user.name=root'],
    ['failed | top 3 source.ip', 'failed user.name=root | top 3 source.ip'],
    ['| stats count()', 'user.name=root | stats count()'],
    ['a OR b', '(a OR b) user.name=root'],
    ['(a OR b) c', '(a OR b) c user.name=root'],
    ['a user.name=root', 'a user.name=root'],
    ['a user.name!=root b', 'a b user.name=root'],
    ['a AND user.name!=root', 'a user.name=root'],
    ['user.name!=root AND a', 'a user.name=root'],
    ['NOT user.name=root', 'NOT user.name=root user.name=root'],
  ])('%s', (query, expected) => expect(include(query, 'user.name', 'root')).toBe(expected));
});

describe('exclude', () => {
  it.each<[string, string]>([
    ['', 'user.name!=root'],
    ['user.name=root', 'user.name!=root'],
    ['a user.name=root | limit 3', 'a user.name!=root | limit 3'],
    ['user.name!=root', 'user.name!=root'],
  ])('%s', (query, expected) => expect(exclude(query, 'user.name', 'root')).toBe(expected));
});

describe('exists', () => {
  it('asks for the field', () => expect(exists('a', 'user.name')).toBe('a user.name:*'));
  it('quotes what the language would read', () => expect(exists('', 'a b:c')).toBe('"a b:c":*'));
});
