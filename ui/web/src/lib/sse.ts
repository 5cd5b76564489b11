// Server-sent events out of a byte stream (HTML standard, §9.2.6), so that a tail can send its token in a header.

export interface Message {
  event: string;
  /** Empty where a frame has an id alone. */
  data: string;
  id: string;
}

/** A parser that takes text as it comes and gives what is complete. */
export class SseParser {
  #rest = '';
  #fields: Message = { event: '', data: '', id: '' };
  #any = false;

  push(chunk: string): Message[] {
    const found: Message[] = [];
    this.#rest += chunk;
    // A trailing CR may be half of a CRLF: it waits for the next chunk.
    const usable = this.#rest.endsWith('\r') ? this.#rest.length - 1 : this.#rest.length;
    const lines = this.#rest.slice(0, usable).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + this.#rest.slice(usable);
    for (const line of lines) this.#line(line, found);
    return found;
  }

  #line(line: string, found: Message[]): void {
    if (line === '') {
      if (this.#any) found.push({ ...this.#fields, event: this.#fields.event || 'message', data: this.#fields.data.replace(/\n$/, '') });
      this.#fields = { event: '', data: '', id: this.#fields.id };
      this.#any = false;
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') [this.#fields.data, this.#any] = [`${this.#fields.data}${value}\n`, true];
    else if (name === 'event') this.#fields.event = value;
    else if (name === 'id') [this.#fields.id, this.#any] = [value, true];
  }
}
