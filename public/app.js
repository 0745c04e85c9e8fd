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

for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
showThisPage();
