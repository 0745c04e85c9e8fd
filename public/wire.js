// Shows what is said on the wire, as far as a browser tells a page.

export const at = (id) => document.getElementById(id)

export function piece(kind, ...parts) {
  const span = document.createElement('span')
  span.className = kind
  span.append(...parts)
  return span
}

// The lines of a head, told apart by kind.
export function head(text) {
  const [first, ...fields] = text.replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n')
  const pieces = fields.flatMap((field) => {
    const colon = field.indexOf(':') + 1
    return [piece('name', field.slice(0, colon)), `${field.slice(colon)}\n`]
  })
  return [piece('first', first), '\n', ...pieces, piece('empty', ''), '\n']
}

// Fetch gives names in lower case; on the wire they are written like this.
const written = (name) => name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase()).replace(/^Etag$/, 'ETag')

export function headOf(response) {
  const fields = [...response.headers].map(([name, value]) => `${written(name)}: ${value}`)
  return head([`HTTP/1.1 ${response.status} ${response.statusText}`, ...fields].join('\n'))
}

export const body = (text) => piece('body', text.length > 2000 ? `${text.slice(0, 2000)}…` : text)

export const NO_ANSWER = 'No answer: the server is not there, or not this one.'

// Sends a request and shows the answer in `place`, behind `pieces`.
export async function exchange(place, url, options, ...pieces) {
  const started = performance.now()
  try {
    const response = await fetch(url, { cache: 'no-store', ...options })
    const bytes = await response.arrayBuffer()
    const took = performance.now() - started
    pieces.push(...headOf(response))
    if (bytes.byteLength > 0) pieces.push(body(new TextDecoder().decode(bytes)))
    const size = bytes.byteLength === 1 ? '1 byte' : `${bytes.byteLength.toLocaleString('en')} bytes`
    pieces.push(piece('why', `\n${size} of body, ${took.toFixed(1)} ms as this page sees it`))
  } catch {
    pieces.push(NO_ANSWER)
  }
  place.replaceChildren(...pieces)
}

// A choice before the button of a form: without this script it would choose nothing.
export function choice(form, label, options) {
  const select = document.createElement('select')
  select.append(...options.map((option) => new Option(option)))
  const element = document.createElement('label')
  element.append(`${label} `, select)
  form.querySelector('button').before(element)
  return select
}
