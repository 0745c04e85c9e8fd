// The request that this page makes, and its answer.
import { at, body, head, headOf } from './wire.js'

try {
  const response = await fetch('echo', { cache: 'no-store' })
  if (!response.ok) throw new Error(String(response.status))
  at('asked').replaceChildren(...head(await response.text()))
  at('answered').replaceChildren(...headOf(response), body('the request, as it is shown here'))
} catch {
  at('answered').textContent = 'This server has no /echo.'
}
