// The person at the browser: follows an authorization URL through the lab's login and consent pages, keeping cookies,
// until the provider sends the browser to another origin. That address, the callback URL, is printed on stdout.
//
//   node authorize.mjs [--deny] [--follow] AUTHORIZATION_URL
//
// --deny    says no on the consent page
// --follow  opens the callback URL too, as a browser would; what the page says goes to stderr, failure is exit code 1

import { parseArgs } from 'node:util';

const { values: flags, positionals } = parseArgs({
  options: { deny: { type: 'boolean' }, follow: { type: 'boolean' } },
  allowPositionals: true,
});
const start = new URL(positionals[0]);
const pageLimit = 16; // login, consent and their redirects take seven
const cookies = new Map();

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
      [url, page] = await fillIn(url, await page.text());
      continue;
    }
    url = new URL(location, url);
    if (url.origin !== start.origin) return url;
    page = await visit(url);
  }
  throw new Error(`still at the provider after ${pageLimit} pages: ${url.pathname}`);
}

// Answers the form of a page; any name and password will do.
async function fillIn(url, html) {
  const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1];
  if (prompt === undefined) throw new Error(`a page without a form at ${url.pathname}: ${words(html)}`);
  if (flags.deny && prompt === 'consent') {
    const abort = new URL(`${url.pathname}/abort`, url);
    return [abort, await visit(abort)];
  }
  const action = new URL(/action="([^"]+)"/.exec(html)[1], url);
  const fields = prompt === 'login' ? { prompt, login: 'ada', password: 'any' } : { prompt };
  return [action, await visit(action, { method: 'POST', body: new URLSearchParams(fields) })];
}

async function visit(url, request = {}) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const page = await fetch(url, { redirect: 'manual', ...request, headers: { cookie } });
  for (const line of page.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
  return page;
}

function words(html) {
  return html.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 300);
}
