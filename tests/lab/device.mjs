// The person with another device: opens a verification URL that has the code in it, logs in and decides (RFC 8628 3.3).
//
//   node device.mjs [--deny] VERIFICATION_URI_COMPLETE
//
// What the last page says is printed on stdout.

import { parseArgs } from 'node:util';
import { fillIn, visit, words } from './browser.mjs';

const { values: flags, positionals } = parseArgs({
  options: { deny: { type: 'boolean' } },
  allowPositionals: true,
});
const pageLimit = 24; // code, confirmation, login, consent and their redirects take eleven

let url = new URL(positionals[0]);
let page = await visit(url);
for (let seen = 0; seen < pageLimit; seen += 1) {
  const location = page.headers.get('location');
  if (location !== null) {
    url = new URL(location, url);
    page = await visit(url);
    continue;
  }
  const html = await page.text();
  const next = await fillIn(url, html, flags.deny ? 'no' : 'yes');
  if (next === undefined) {
    console.log(words(html));
    process.exit(0);
  }
  [url, page] = next;
}
throw new Error(`still asked after ${pageLimit} pages: ${url.pathname}`);
