// A browser without a window: keeps cookies, follows nothing by itself, fills in the lab's forms.

const cookies = new Map();

// Opens a page; a redirect is an answer, not a journey.
export async function visit(url, request = {}) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const page = await fetch(url, { redirect: 'manual', ...request, headers: { cookie } });
  for (const line of page.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
  return page;
}

// Answers the form of a page, if it has one; any name and password will do. Returns where that leads.
export async function fillIn(url, html, says) {
  const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1];
  if (prompt === undefined) return fillInCode(url, html, says);
  if (says === 'no' && prompt === 'consent') {
    const abort = new URL(`${url.pathname}/abort`, url);
    return [abort, await visit(abort)];
  }
  const fields = prompt === 'login' ? { prompt, login: 'ada', password: 'any' } : { prompt };
  return submit(url, html, fields);
}

// The two pages of a device: the code, and whether it is the one that the device shows.
async function fillInCode(url, html, says) {
  const field = (name) => new RegExp(`name="${name}"[^>]*value="([^"]*)"|value="([^"]*)"[^>]*name="${name}"`).exec(html);
  const [xsrf, code, confirm] = ['xsrf', 'user_code', 'confirm'].map((name) => field(name)?.slice(1).find(Boolean));
  if (xsrf === undefined || code === undefined) return undefined;
  const decision = confirm === undefined ? {} : says === 'no' ? { abort: 'yes' } : { confirm };
  return submit(url, html, { xsrf, user_code: code, ...decision });
}

async function submit(url, html, fields) {
  const action = new URL(/action="([^"]+)"/.exec(html)[1], url);
  return [action, await visit(action, { method: 'POST', body: new URLSearchParams(fields) })];
}

// What a page says to a person.
export function words(html) {
  return html.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 300);
}
