// What is common to all pages: the wanted token, the help sheet, and the short note at the bottom.

import { setToken, whenUnauthorized } from '../api/client';

class Session {
  needsToken = $state(false);
  help = $state(false);
  note = $state('');
  /** Counts sign-ins, so that what failed for want of a token is asked again. */
  signIns = $state(0);
  #clear: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    whenUnauthorized(() => {
      this.needsToken = true;
    });
  }

  signIn(token: string): void {
    setToken(token.trim());
    this.needsToken = false;
    this.signIns++;
  }

  say(note: string): void {
    this.note = note;
    clearTimeout(this.#clear);
    this.#clear = setTimeout(() => (this.note = ''), 3000);
  }
}

export const session = new Session();
