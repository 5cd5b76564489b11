import { expect, it } from 'vitest';
import { SseParser } from './sse';

it.each<[string, string[], string[][]]>([
  ['whole', ['data: a\n\n'], [['message', 'a']]],
  ['cut anywhere', ['da', 'ta: a', '\n', '\ndata:b\n\n'], [['message', 'a'], ['message', 'b']]],
  ['CRLF cut in the middle', ['data: a\r', '\n\r', '\n'], [['message', 'a']]],
  ['lines joined', ['data: a\ndata: b\n\n'], [['message', 'a\nb']]],
  ['named', ['event: lagged\ndata: {}\n\n'], [['lagged', '{}']]],
  ['comments are keep-alives', [': hello\n\n:\n\n'], []],
  ['an id alone', ['id: 0-7\n\n: hello\n\n'], [['message', '']]],
  ['no data, no message', ['event: x\n\n'], []],
  ['a list from one chunk', ['data: 1\n\ndata: 2\n\ndata: 3'], [['message', '1'], ['message', '2']]],
])('%s', (_name, chunks, expected) => {
  const parser = new SseParser();
  const found = chunks.flatMap((chunk) => parser.push(chunk));
  expect(found.map((message) => [message.event, message.data])).toEqual(expected);
});
