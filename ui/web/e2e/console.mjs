// Drives the console in Chromium against a running server with events in it: LOCARD_URL. Writes SCREENSHOT when that is set.
// Prints `N passed, N failed`; exits 1 when something failed.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { axe, openConsole } from './browser.mjs';

const url = (process.env.LOCARD_URL ?? 'http://127.0.0.1:7514').replace(/\/$/, '');
const screenshot = process.env.SCREENSHOT;
const ALL = `${url}/?start=all`;
const run = Date.now().toString(36);

const { page, complaints, close } = await openConsole(ALL, 1440, 900);

const rows = page.locator('[role=grid] [role=row]');
const query = page.getByRole('textbox', { name: 'Query' });
const detail = page.getByRole('region', { name: 'Event', exact: true });
const param = (name) => new URL(page.url()).searchParams.get(name);

/** Polls until the check stops throwing; the last failure is the reason given. */
async function eventually(check) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function open(address) {
  await page.goto(address);
  await rows.first().waitFor();
  await settled();
}

/** The answer is there and nothing is being asked for. */
async function settled() {
  await eventually(async () => {
    assert.equal(await page.locator('.answer').getAttribute('aria-busy'), 'false');
    assert.equal(await page.locator('.stale').count(), 0);
  });
}

async function ask(text) {
  await page.keyboard.press('Escape');
  await query.fill(text);
  await query.press('Enter');
  await settled();
}

async function matched() {
  return Number((await page.locator('.status b').first().innerText()).replace(/[^\d]/g, ''));
}

/** Counts requests whose path holds the text, from now on. */
function counted(text) {
  let count = 0;
  page.on('request', (request) => (count += Number(new URL(request.url()).pathname.includes(text))));
  return () => count;
}

/** While the work runs, the server seems to answer these requests with a problem. */
async function refusing(status, detail, isRefused, work) {
  const pattern = '**/api/**';
  const answer = { status, contentType: 'application/problem+json', body: JSON.stringify({ status, detail }) };
  await page.route(pattern, (route) => (isRefused(route.request()) ? route.fulfill(answer) : route.continue()));
  try {
    await work();
  } finally {
    await page.unroute(pattern);
  }
}

async function ingest(...events) {
  const response = await fetch(`${url}/ingest/ndjson`, { method: 'POST', body: events.map((event) => JSON.stringify(event)).join('\n') });
  assert.equal(response.status, 200, await response.text());
}

const checks = {
  async 'shows the newest events at once'() {
    await open(ALL);
    assert.ok((await rows.count()) > 10, 'fewer than ten rows');
    assert.ok((await matched()) > 100, 'fewer than a hundred events');
  },

  async 'finds a word typed after / and marks it'() {
    await open(ALL);
    const before = await matched();
    await page.keyboard.press('/');
    await page.keyboard.type('failed');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal(param('q'), 'failed'));
    await settled();
    assert.ok((await matched()) > 0 && (await matched()) < before, `${await matched()} of ${before} match`);
    assert.match(await page.locator('[role=grid] mark').first().innerText(), /^failed$/i);
  },

  async 'shows a syntax error at its place and keeps the old answer'() {
    await open(ALL);
    await ask('user.name:(root OR');
    const error = page.locator('#query-error');
    await error.waitFor();
    assert.match(await error.innerText(), /character \d+/);
    assert.ok((await page.locator('pre .bad').count()) > 0, 'nothing is underlined');
    assert.equal(await query.getAttribute('aria-invalid'), 'true');
    assert.ok((await rows.count()) > 10, 'the old answer is gone');
    await ask('');
    assert.equal(await error.count(), 0);
  },

  async 'zooms to what is dragged over in the histogram'() {
    await open(ALL);
    const before = await matched();
    const chart = page.locator('.histogram svg');
    await page.locator('.histogram path').first().waitFor();
    const box = await chart.boundingBox();
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.25, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, y, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
    await page.mouse.up();
    await eventually(async () => assert.ok(param('start')?.includes('T') && param('end')?.includes('T'), page.url()));
    await settled();
    assert.ok((await matched()) < before, `${await matched()} of ${before} are in the part`);
    await page.goBack();
    await eventually(async () => assert.equal(param('start'), 'all'));
    await settled();
    await eventually(async () => assert.ok((await matched()) >= before));
  },

  async 'moves with j and k, opens with o, closes with Esc'() {
    await open(ALL);
    const active = () => page.locator('[role=row][aria-selected=true]').getAttribute('id');
    await page.keyboard.press('j');
    const first = await active();
    await page.keyboard.press('j');
    assert.notEqual(await active(), first);
    await page.keyboard.press('k');
    assert.equal(await active(), first);
    await page.keyboard.press('o');
    await detail.waitFor();
    assert.equal(`event-${param('id')}`, first);
    await page.keyboard.press('j');
    assert.notEqual(`event-${param('id')}`, first);
    await page.keyboard.press('Escape');
    await detail.waitFor({ state: 'detached' });
    assert.equal(param('id'), null);
  },

  async 'a link opens its event'() {
    await open(ALL);
    await rows.nth(3).click();
    const id = param('id');
    const line = await detail.locator('pre').innerText();
    await page.goto(`${url}/?q=nothing_at_all_matches_this&start=all&id=${id}`);
    await eventually(async () => assert.equal(await detail.locator('pre').innerText(), line));
  },

  async 'filters by a field of an event, with the mouse and with f and F'() {
    // An end, so that events that arrive meanwhile do not change the numbers.
    await open(`${ALL}&end=${new Date().toISOString()}`);
    const before = await matched();
    await rows.first().click();
    const host = detail.locator('li[data-field="host.name"]');
    const value = JSON.parse(await host.getAttribute('data-value'));
    await host.getByRole('button', { name: /^Include/ }).click();
    await eventually(async () => assert.ok(param('q')?.startsWith('host.name=') && param('q').includes(value), page.url()));
    await settled();
    const included = await matched();
    assert.ok(included > 0 && included < before, `${included} of ${before}`);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await detail.locator('li[data-field="host.name"]').focus();
    await page.keyboard.press('Shift+F');
    await eventually(async () => assert.ok(param('q')?.startsWith('host.name!='), page.url()));
    await settled();
    await eventually(async () => assert.equal((await matched()) + included, before));
  },

  async 'filters by a top value of the field list'() {
    await open(ALL);
    const list = page.getByRole('complementary', { name: 'Fields' });
    await list.getByRole('searchbox').fill('host.name');
    await list.getByRole('button', { name: /host\.name/ }).first().click();
    const top = list.locator('li[data-field="host.name"] .value').first();
    await top.waitFor();
    await top.click();
    await eventually(async () => assert.match(param('q') ?? '', /^host\.name=/));
    await settled();
    assert.ok((await matched()) > 0);
  },

  async 'shows the lines around an event'() {
    await open(ALL);
    await rows.nth(8).click();
    const id = param('id');
    const asked = counted('/context');
    await page.keyboard.press('c');
    const lines = detail.locator('ol li');
    await eventually(async () => assert.ok((await lines.count()) > 1, 'one line alone'));
    assert.equal(await detail.locator('[aria-current=true]').count(), 1);
    await lines.first().getByRole('button').click();
    await eventually(async () => assert.notEqual(param('id'), id));
    assert.equal(asked(), 1, 'the lines were asked for again and again');
  },

  async 'tails: appends, keeps the scroll position, says what is new'() {
    await open(ALL);
    await page.keyboard.press('t');
    await eventually(async () => assert.match(await page.locator('.status').innerText(), /tail: live/));
    await settled();
    const scroller = page.locator('.scroller');
    // The rows may not be there yet when the tail is: only then is there something to scroll over.
    await eventually(async () => {
      await scroller.evaluate((element) => element.scrollTo(0, 660));
      assert.ok((await scroller.evaluate((element) => element.scrollTop)) > 600);
    });
    const shown = () => scroller.evaluate((element) => {
      const edge = element.getBoundingClientRect().top;
      const row = [...element.querySelectorAll('[role=row]')].find((one) => one.getBoundingClientRect().bottom > edge + 1);
      return `${row.id} ${Math.round(row.getBoundingClientRect().top - edge)}`;
    });
    await eventually(async () => assert.ok(!(await shown()).includes('undefined')));
    const before = await shown();
    await ingest({ message: `tailed one ${run}`, 'host.name': 'e2e' }, { message: `tailed two ${run}`, 'host.name': 'e2e' });
    const news = page.getByRole('button', { name: /\d+ new/ });
    await news.waitFor();
    await eventually(async () => assert.ok(Number((await news.innerText()).match(/\d+/)[0]) >= 2));
    assert.equal(await shown(), before, 'the rows in view moved');
    await news.click();
    await page.getByText(`tailed two ${run}`).first().waitFor();
    await ingest({ message: `followed ${run}`, 'host.name': 'e2e' });
    await page.getByText(`followed ${run}`).first().waitFor();
    assert.equal(await news.count(), 0);
    await page.keyboard.press('t');
    await eventually(async () => assert.equal(param('tail'), null));
  },

  async 'shows hostile lines as text'() {
    const hostile = `<img src=x onerror=alert(1)> \u001b[31mred \u202egnp.exe ${run}`;
    await ingest({ message: hostile, 'user.name': '"><script>alert(1)</script>', 'host.name': 'e2e' });
    await open(`${url}/?q=${encodeURIComponent(`gnp.exe ${run}`)}&start=all`);
    await rows.first().click();
    await detail.locator('pre').waitFor();
    const text = `${await rows.first().innerText()} ${await detail.innerText()}`;
    assert.ok(text.includes('<img src=x onerror=alert(1)>') && text.includes('<script>alert(1)</script>'), text);
    assert.ok(!/[\u001b\u202e]/.test(text), 'a control character is in the page');
    assert.equal(await page.locator('img, #app script').count(), 0);
  },

  async 'shows what pipes make as a table that sorts'() {
    await open(ALL);
    await ask('* | stats count() as n by host.name');
    const table = page.getByRole('region', { name: 'Result table' });
    await table.waitFor();
    const numbers = async () => (await table.locator('tbody td:nth-child(2)').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
    await table.getByRole('button', { name: 'n', exact: true }).click();
    const down = await numbers();
    assert.ok(down.length > 1, 'one row');
    assert.deepEqual(down, [...down].sort((a, b) => b - a));
    await table.getByRole('button', { name: 'n', exact: false }).first().click();
  },

  async 'says what to try when nothing matches'() {
    await open(ALL);
    await ask('nothing_at_all_matches_this');
    await page.getByText('No event matches').waitFor();
  },

  async 'loads older events when scrolled to'() {
    await open(ALL);
    const count = await matched();
    assert.ok(count > 300, `${count} events are too few to see it`);
    const grid = page.getByRole('grid');
    await eventually(async () => {
      await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
      assert.ok(Number(await grid.getAttribute('aria-rowcount')) >= Math.min(count, 600));
    });
  },

  async 'stops loading older events when that fails, until asked to'() {
    await open(ALL);
    await refusing(503, 'a split cannot be read', (request) => request.url().includes('cursor='), async () => {
      const end = page.locator('.scroller .end');
      await eventually(async () => {
        await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
        assert.match(await end.innerText(), /a split cannot be read/);
      });
      const asked = counted('/api/search');
      await page.locator('.scroller').evaluate((element) => element.scrollBy(0, -40));
      await page.getByRole('button', { name: 'Try again' }).click();
      await eventually(async () => assert.match(await end.innerText(), /a split cannot be read/));
      assert.equal(asked(), 1);
    });
    await page.getByRole('button', { name: 'Try again' }).click();
    await eventually(async () => assert.ok(Number(await page.getByRole('grid').getAttribute('aria-rowcount')) > 200));
  },

  async 'asks for a token when the server wants one, and sends it'() {
    const wants = (request) => request.headers().authorization !== 'Bearer open sesame';
    await refusing(401, 'this server needs a token', wants, async () => {
      await page.goto(ALL);
      const prompt = page.getByRole('dialog', { name: 'This server wants a token' });
      await prompt.getByLabel('Token').fill('open sesame');
      await page.keyboard.press('Enter');
      await rows.first().waitFor();
      assert.equal(await prompt.count(), 0);
    });
    await page.evaluate(() => sessionStorage.clear());
  },

  async 'light and dark have no serious accessibility problem'() {
    for (const dark of [false, true]) {
      await open(`${url}/?q=failed&start=all`);
      const button = page.getByRole('button', { name: 'Dark colours' });
      if ((await button.getAttribute('aria-pressed')) !== String(dark)) await button.click();
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(Number(ground.match(/oklch\(([\d.]+)/)?.[1] ?? 0) < 0.5, dark, `ground is ${ground}`);
      await accessible(dark);
    }
    await page.getByRole('button', { name: 'Dark colours' }).click();
  },
};

/** Every state of the pages that has elements of its own. */
async function accessible(dark) {
  const look = async (what) => assert.deepEqual(await axe(page), [], `${what}, ${dark ? 'dark' : 'light'}`);
  await look('lines');
  await rows.nth(1).click();
  await page.locator('aside .field').first().click();
  await page.locator('aside .values li').first().waitFor();
  await look('an open event');
  await page.keyboard.press('c');
  await detail.locator('ol li').first().waitFor();
  await look('context');
  await page.locator('button[aria-haspopup=dialog]').click();
  await look('the range');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  await look('help');
  await page.keyboard.press('Escape');
  await ask('user.name:(root OR');
  await page.locator('#query-error').waitFor();
  await look('an error');
  await ask('* | top 5 host.name');
  await page.getByRole('region', { name: 'Result table' }).waitFor();
  await look('a table');
  await page.getByRole('link', { name: 'Status' }).click();
  await page.locator('main dd').first().waitFor();
  await look('status');
}

/** What the README shows: all that one address did, the login that worked open. */
async function picture() {
  await open(`${url}/?q=${encodeURIComponent('203.0.113.77 -"egress drop"')}`);
  await rows.filter({ hasText: 'Accepted password' }).first().click();
  await page.getByRole('complementary').getByRole('button', { name: /process\.name/ }).first().click();
  await page.locator('aside .values li').first().waitFor();
  await settled();
  mkdirSync(dirname(screenshot), { recursive: true });
  await page.screenshot({ path: screenshot });
}

/** The browser reports the answers that the checks provoke as failed loads; everything else is a complaint. */
const isExpected = (complaint) => /Failed to load resource: the server responded with a status of (400|401|503)/.test(complaint);

let failed = 0;
let passed = 0;
async function report(name, check) {
  try {
    await check();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n        ${String(error.message ?? error).replaceAll('\n', '\n        ')}`);
  }
}

const only = process.env.ONLY;
for (const [name, check] of Object.entries(checks)) if (!only || name.includes(only)) await report(name, check);
if (screenshot) await report('takes the picture', picture);
await report('no console error, exception or policy violation', () => {
  assert.deepEqual(complaints.filter((complaint) => !isExpected(complaint)), []);
});
await close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
