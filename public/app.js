// Shows what is said on the wire, as far as a browser tells a page.
'use strict';

const at = (id) => document.getElementById(id);

function piece(kind, text) {
  const span = document.createElement('span');
  span.className = kind;
  span.textContent = text;
  return span;
}

// A head as text, its lines told apart by kind.
function head(text) {
  const [first, ...fields] = text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
  const pieces = [piece('first', first), '\n'];
  for (const field of fields) {
    const colon = field.indexOf(':');
    pieces.push(piece('name', field.slice(0, colon + 1)), field.slice(colon + 1), '\n');
  }
  pieces.push(piece('empty', ''), '\n');
  return pieces;
}

// Fetch gives names in lower case; on the wire they are written like this.
const written = (name) => name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase()).replace(/^Etag$/, 'ETag');

function headOf(response) {
  const fields = [...response.headers].map(([name, value]) => `${written(name)}: ${value}`);
  return head([`HTTP/1.1 ${response.status} ${response.statusText}`, ...fields].join('\n'));
}

const size = (bytes) => (bytes === 1 ? '1 byte' : `${bytes.toLocaleString('en')} bytes`);

// Sends a request and shows the answer in `place`; with `asked`, what was asked stands above it.
async function exchange(place, url, options = {}, asked = false) {
  const pieces = [];
  if (asked) {
    const fields = Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
    const question = piece('asked', '');
    question.append(...head([`${options.method ?? 'GET'} ${new URL(url, location).pathname} HTTP/1.1`, ...fields].join('\n')));
    pieces.push(question);
  }
  const started = performance.now();
  try {
    const response = await fetch(url, { cache: 'no-store', ...options });
    const body = await response.arrayBuffer();
    const took = performance.now() - started;
    pieces.push(...headOf(response));
    if (body.byteLength > 0) {
      const text = new TextDecoder().decode(body.slice(0, 2000));
      pieces.push(piece('body', body.byteLength > 2000 ? `${text}…` : text));
    }
    pieces.push(piece('took', `${size(body.byteLength)} of body, ${took.toFixed(1)} ms as this page sees it`));
    place.replaceChildren(...pieces);
    return response;
  } catch {
    place.replaceChildren(...pieces, 'No answer: the server is not there, or not this one.');
    return null;
  }
}

async function showThisPage() {
  try {
    const response = await fetch('/echo', { cache: 'no-store' });
    if (!response.ok) throw new Error(String(response.status));
    at('asked').replaceChildren(...head(await response.text()));
    at('answered').replaceChildren(...headOf(response), piece('body', 'the request, as it is shown here'));
  } catch {
    at('asked').textContent = 'This server has no /echo.';
    at('answered').textContent = '';
  }
}

const FILE = 'files/upstream/run.txt';
const TRIES = {
  range: () => [FILE, { headers: { Range: 'bytes=10-29' } }],
  suffix: () => [FILE, { headers: { Range: 'bytes=-30' } }],
  past: () => [FILE, { headers: { Range: 'bytes=99999-' } }],
  fresh: async () => {
    const now = await fetch(FILE, { cache: 'no-store', method: 'HEAD' });
    return [FILE, { headers: { 'If-None-Match': now.headers.get('ETag') ?? '"none"' } }];
  },
  head: () => [FILE, { method: 'HEAD' }],
  missing: () => ['no-such-page', {}],
  method: () => ['index.html', { method: 'DELETE' }],
};

at('tries').addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  for (const other of at('tries').querySelectorAll('button')) {
    other.setAttribute('aria-pressed', String(other === button));
  }
  try {
    const [url, options] = await TRIES[button.dataset.try]();
    await exchange(at('tried'), url, options, true);
  } catch {
    at('tried').textContent = 'No answer: the server is not there, or not this one.';
  }
});

at('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  exchange(at('said'), '/echo', {
    method: form.get('method'),
    headers: { 'Content-Type': form.get('type') },
    body: form.get('words').replace(/\r\n/g, '\n'),
  });
});

// Requests to begin with. A line's end is chosen when they are sent.
const HOST = `Host: ${location.host}`;
const EXAMPLES = {
  'a page': `GET / HTTP/1.1\n${HOST}\n\n`,
  'bytes 10–29 of a file': `GET /${FILE} HTTP/1.1\n${HOST}\nRange: bytes=10-29\n\n`,
  '“has it changed?”': `GET /${FILE} HTTP/1.1\n${HOST}\nIf-None-Match: *\n\n`,
  'a body': `POST /echo HTTP/1.1\n${HOST}\nContent-Type: text/plain\nContent-Length: 5\n\nhello`,
  'a body in chunks': `POST /echo?raw HTTP/1.1\n${HOST}\nTransfer-Encoding: chunked\n\n6\nhello \n5\nagain\n0\n\n`,
  'two requests at once': `HEAD / HTTP/1.1\n${HOST}\n\nGET /echo HTTP/1.1\n${HOST}\nConnection: close\n\n`,
  'HTTP/1.0': 'GET /echo HTTP/1.0\n\n',
  'a head without an end': `GET / HTTP/1.1\n${HOST}\n`,
  'no Host': 'GET / HTTP/1.1\n\n',
  'a blank before a colon': `GET / HTTP/1.1\nHost : ${location.host}\n\n`,
  'two lengths': `POST /echo HTTP/1.1\n${HOST}\nContent-Length: 5\nContent-Length: 6\n\nhello`,
};

// The server's strings have a character for each byte; text is UTF-8.
const asBytes = (text) => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
const asText = (bytes) => new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));

// A message as it travelled, its parts told apart; `why` stands behind its first line.
function message(bytes, why) {
  const blank = /\n\r?\n/.exec(bytes);
  const headEnd = blank ? blank.index + blank[0].length : bytes.length;
  const isInterim = /^HTTP\/1\.1 1/.test(bytes);
  const pieces = [];
  for (const line of asText(bytes.slice(0, headEnd)).match(/[^\n]*\n|[^\n]+/g) ?? []) {
    const text = line.replace(/\r?\n$/, '');
    const colon = text.indexOf(':');
    if (pieces.length === 0) pieces.push(piece('first', text));
    else if (text === '') pieces.push(piece('empty', ''));
    else pieces.push(piece('name', text.slice(0, colon + 1)), text.slice(colon + 1));
    if (pieces.length === 1 && why && !isInterim) pieces.push(piece('why', `   # ${why}`));
    if (line === `${text}\n`) pieces.push(piece('why', ' LF'));
    pieces.push('\n');
  }
  const rest = bytes.slice(headEnd);
  if (isInterim && rest) return [...pieces, ...message(rest, why)];
  const body = asText(rest).replace(/\r\n/g, '\n');
  return body ? [...pieces, piece('body', body.length > 2000 ? `${body.slice(0, 2000)}…` : body)] : pieces;
}

// What the server has read of these bytes, and what it says.
function conversation(bytes, { exchanges, then }) {
  let from = 0;
  const starts = exchanges.map(({ request }) => {
    const start = bytes.indexOf(request, from);
    from = start + request.length;
    return start;
  });
  const pieces = exchanges.flatMap(({ answer, why, connection }, at) => {
    const question = piece('asked', '');
    question.append(...message(bytes.slice(starts[at], starts[at + 1])));
    return [question, ...message(answer, why), ...(connection ? [piece('took', connection)] : []), '\n'];
  });
  if (exchanges.length === 0) {
    const question = piece('asked', '');
    question.append(...message(bytes));
    pieces.push(question);
  }
  return then ? [...pieces, piece('took', then)] : pieces;
}

at('write').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const bytes = asBytes(form.get('bytes').replace(/\r\n/g, '\n').replace(/\n/g, event.target.elements.ends.value));
  const query = new URLSearchParams({ request: asText(bytes) });
  try {
    const response = await fetch(`/echo/by-hand?${query}`, { cache: 'no-store' });
    const said = response.ok ? conversation(bytes, await response.json()) : [await response.text()];
    at('heard').replaceChildren(...said);
  } catch {
    at('heard').textContent = 'No answer: the server is not there, or not this one.';
  }
});

at('bytes').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) at('write').requestSubmit();
});
at('example').append(...Object.keys(EXAMPLES).map((name) => new Option(name)));
at('example').addEventListener('input', () => { at('bytes').value = EXAMPLES[at('example').value]; });
at('bytes').value = Object.values(EXAMPLES)[0];

for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
showThisPage();
