// The commands name this server.
const here = String(new URL('.', location))
for (const pre of document.querySelectorAll('pre')) {
  for (const part of pre.childNodes) part.textContent = part.textContent.replaceAll('http://localhost:8080/', here)
}
