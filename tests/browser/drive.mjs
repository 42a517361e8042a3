// Drives a real Chromium through sign-in pages, and takes pictures of pages.
//
// One JSON object on standard input says what to do; one on standard output says what came of it. What must hold: the
// browser is ended by this process, whatever happens, and everything ends within the bound that was given.
//
// `{ "chromium", "bound_ms", "walk": { "link", "login", "decision" } }`: opens the link, signs in and consents as `login`,
// presses the button of that decision on our page. Gives the texts of the confirmation page and of the last one, all that
// the browser complained about on them, and to which origins they led.
//
// `{ "chromium", "bound_ms", "shots": [{ "html", "png", "width", "height", "scheme", "locale" }] }`: renders files.

import { pathToFileURL } from 'node:url';

import puppeteer from 'puppeteer-core';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const order = JSON.parse(Buffer.concat(chunks).toString());

const browser = await puppeteer.launch({
  executablePath: order.chromium,
  headless: true,
  timeout: order.bound_ms,
  protocolTimeout: order.bound_ms,
  // Root has no sandbox; small machines have little shared memory.
  // Nothing leaves this machine.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--hide-scrollbars', '--no-proxy-server',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
});
const late = setTimeout(() => {
  console.error(`not done within ${order.bound_ms} ms`);
  browser.process()?.kill('SIGKILL');
  process.exit(1);
}, order.bound_ms);

async function walk({ link, login, decision }) {
  const page = await browser.newPage();
  page.setDefaultTimeout(order.bound_ms);
  const complaints = [];
  const requests = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(new URL(request.url()).origin));
  const press = async (selector) => {
    await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click(selector)]);
  };
  await page.goto(link, { waitUntil: 'load' });
  await page.type('input[name=login]', login);
  await page.type('input[name=password]', 'any');
  await press('button[type=submit]');
  // The consent, which leads on to us. What the pages before wanted of others is not ours to judge.
  requests.length = 0;
  complaints.length = 0;
  await press('button[type=submit]');
  const read = async () => ({
    url: page.url(),
    title: await page.title(),
    text: await page.evaluate(() => document.body.innerText),
    lang: await page.evaluate(() => document.documentElement.lang),
    styled: await page.evaluate(() => getComputedStyle(document.querySelector('main')).borderRadius),
    focus: await page.evaluate(() => document.activeElement?.tagName),
    wide: await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth),
  });
  // The narrowest phone: nothing may stand out at the side.
  await page.setViewport({ width: 320, height: 600, deviceScaleFactor: 1 });
  const asked = await read();
  // By keyboard alone, as somebody without a mouse would: the first stop is the button that goes on.
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => document.activeElement?.value ?? document.activeElement?.tagName);
  await press(`button[value=${decision}]`);
  const ended = await read();
  await page.reload({ waitUntil: 'load' }).catch((error) => complaints.push(String(error)));
  const reloaded = await read();
  return { asked, first, ended, reloaded, complaints, origins: [...new Set(requests)] };
}

async function shoot(shots) {
  const page = await browser.newPage();
  for (const { html, png, width, height, scheme } of shots) {
    await page.setViewport({ width, height, deviceScaleFactor: 1 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(pathToFileURL(html).href, { waitUntil: 'load' });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) throw new Error(`${html} is wider than ${width}`);
    await page.screenshot({ path: png, fullPage: true });
  }
  return { shot: shots.length };
}

let code = 0;
try {
  const came = order.walk ? await walk(order.walk) : await shoot(order.shots);
  process.stdout.write(`${JSON.stringify(came)}\n`);
} catch (error) {
  console.error(String(error?.stack ?? error));
  code = 1;
} finally {
  clearTimeout(late);
  await browser.close().catch(() => browser.process()?.kill('SIGKILL'));
}
process.exit(code);
