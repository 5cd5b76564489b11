import { describe, expect, it } from 'vitest';
import { splitPipes, terms, tokens, unquote } from './query';

const QUERIES = [
  '"failed password" _time:1h',
  'source.ip:10.0.0.0/8 NOT source.ip:10.1.0.0/16 http.response.status_code:403',
  'kubernetes.audit.verb:(create OR patch) kubernetes.audit.objectRef.resource:pods',
  '_time:[2026-03-01T12:00Z TO 2026-03-01T12:10Z] user.name:system\\:serviceaccount\\:*',
  'message:/CVE-\\d{4}-\\d+/i',
  'process.name:sshd | rex "from (?P<ip>\\S+) port" | stats count() as n by ip | where n>20',
  'unfinished "quote',
  '((',
  'a\\',
];

describe('tokens', () => {
  it.each(QUERIES)('joined give the query: %s', (query) => {
    expect(tokens(query).map((token) => token.text).join('')).toBe(query);
  });

  it.each([
    ['a:b', ['field', 'operator', 'word']],
    ['-a!=b', ['field', 'operator', 'word']],
    ['x AND "y z"', ['word', 'space', 'keyword', 'space', 'string']],
    ['m:/a|b/i | limit 3', ['field', 'operator', 'regex', 'space', 'pipe', 'space', 'word', 'space', 'word']],
    ['/var/log', ['word']],
    ['a:b:c=d', ['field', 'operator', 'word']],
    ['"odd name":x', ['field', 'operator', 'word']],
    ['a:"b c"', ['field', 'operator', 'string']],
    ['t:[1 TO now}', ['field', 'operator', 'operator', 'word', 'space', 'keyword', 'space', 'word', 'operator']],
    ['-"x y" -(a)', ['operator', 'string', 'space', 'operator', 'operator', 'word', 'operator']],
    ['a\\:b', ['word']],
    ['a/b', ['word']],
  ])('kinds of %s', (query, kinds) => {
    expect(tokens(query).map((token) => token.kind)).toEqual(kinds);
  });
});

describe('splitPipes', () => {
  it.each([
    ['', '', ''],
    ['a b', 'a b', ''],
    ['a | top 3 b', 'a', '| top 3 b'],
    ['| stats count()', '', '| stats count()'],
    ['"a|b" c | limit 1', '"a|b" c', '| limit 1'],
    ['m:/a|b/ | limit 1', 'm:/a|b/', '| limit 1'],
    ['(a | b) | limit 1', '(a | b)', '| limit 1'],
  ])('%s', (query, filter, pipes) => {
    expect(splitPipes(query)).toEqual({ filter, pipes });
  });
});

describe('terms', () => {
  it.each([
    ['failed', [['', 'failed']]],
    ['"failed password" root', [['', 'failed password'], ['', 'root']]],
    ['source.ip:203.0.113.77', [['source.ip', '203.0.113.77']]],
    ['user.name="a b"', [['user.name', 'a b']]],
    ['NOT a b', [['', 'b']]],
    ['-a b', [['', 'b']]],
    ['-user.name:a b', [['', 'b']]],
    ['a!=b c', [['', 'c']]],
    ['n>5 c', [['', 'c']]],
    ['kinsin* x', [['', 'kinsin'], ['', 'x']]],
    ['a\\:b', [['', 'a:b']]],
    ['NOT (a b) c', [['', 'c']]],
    ['-(a b) -"d e" c', [['', 'c']]],
    ['v:(create OR patch)', [['v', 'create'], ['v', 'patch']]],
    ['u:system:node', [['u', 'system:node']]],
    ['t:[a TO b] c', [['', 'c']]],
    ['m:/x/i --force', [['', '--force']]],
    ['"DOMAIN\\user"', [['', 'DOMAIN\\user']]],
    ['_time:1h @timestamp:2h a', [['', 'a']]],
    ['a | stats count() by b', [['', 'a']]],
  ])('%s', (query, expected) => {
    expect(terms(query).map((term) => [term.field, term.text])).toEqual(expected);
  });
});

describe('unquote', () => {
  it.each([
    ['"a \\"b\\""', 'a "b"'],
    ['plain', 'plain'],
    ['"open', 'open'],
    ['a\\:b', 'a:b'],
  ])('%s', (text, expected) => expect(unquote(text)).toBe(expected));
});
