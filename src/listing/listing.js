const box = document.querySelector('input'), sum = document.querySelector('p'), all = sum.textContent
const names = document.querySelectorAll('td[dir]')
box.oninput = () => {
  const part = box.value.toLowerCase()
  let shown = 0
  for (const name of names) shown += !(name.parentNode.hidden = !name.textContent.toLowerCase().includes(part))
  sum.textContent = shown < names.length ? `${shown} of ${names.length}` : all
}
const two = (number) => String(number).padStart(2, '0')
for (const time of document.querySelectorAll('time')) {
  const at = new Date(time.dateTime)
  if (isNaN(at)) continue
  time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}
document.querySelector('th span').remove()
