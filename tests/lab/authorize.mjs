// The person at the browser: follows an authorization URL through the lab's login and consent pages, until the provider
// sends the browser to another origin. That address, the callback URL, is printed on stdout.
//
//   node authorize.mjs [--deny] [--follow] AUTHORIZATION_URL
//
// --deny    says no on the consent page
// --follow  opens the callback URL too, as a browser would; what the page says goes to stderr, failure is exit code 1

import { parseArgs } from 'node:util';
import { fillIn, visit, words } from './browser.mjs';

const { values: flags, positionals } = parseArgs({
  options: { deny: { type: 'boolean' }, follow: { type: 'boolean' } },
  allowPositionals: true,
});
const start = new URL(positionals[0]);
const pageLimit = 16; // login, consent and their redirects take seven

const callback = await journey();
console.log(callback.href);
if (flags.follow) {
  const page = await fetch(callback);
  console.error(`callback answered ${page.status}: ${words(await page.text())}`);
  process.exit(page.ok ? 0 : 1);
}

async function journey() {
  let url = start;
  let page = await visit(url);
  for (let seen = 0; seen < pageLimit; seen += 1) {
    const location = page.headers.get('location');
    if (location === null) {
      const html = await page.text();
      const next = await fillIn(url, html, flags.deny ? 'no' : 'yes');
      if (next === undefined) throw new Error(`a page without a form at ${url.pathname}: ${words(html)}`);
      [url, page] = next;
      continue;
    }
    url = new URL(location, url);
    if (url.origin !== start.origin) return url;
    page = await visit(url);
  }
  throw new Error(`still at the provider after ${pageLimit} pages: ${url.pathname}`);
}
