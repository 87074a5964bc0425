// The page around the verifier: what a solicitor sees. Everything from the package is shown as text, never as HTML.

import words from '../../src/bluelamp/verify/words.json'

import { Checker } from './checking.js'
import { Remaining, fileSize, seconds } from './measure.js'
import { showReport } from './results.js'

const find = (id) => document.getElementById(id)
const keysIn = (id) => find(id).value.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean)

let dropped = null
let checker = null
let before = {}
let busy = false

// Asked for anew each time: choosing the same file again fires no event, and its bytes may have changed since.
const chosen = () => dropped ?? find('file').files[0] ?? null

// Also for whoever automates the check: resolves to what `bluelamp verify --json` prints.
const idle = []
window.bluelampVerify = async (file, keys = [], witnesses = [], progress = () => {}) => {
  const own = idle.pop() ?? new Checker()
  const report = await own.check(file, keys, witnesses, progress)
  idle.push(own)
  return report
}

const choose = (file) => {
  dropped = file
  const { name, size } = chosen()
  find('chosen').textContent = `${name} (${fileSize(size)})`
  find('start').textContent = 'Check the package'
  complain('')
}

const complain = (message) => {
  find('complaint').textContent = message
  find('complaint').hidden = !message
}

const start = async () => {
  const file = chosen()
  if (!file) {
    complain('Choose the package first: the ZIP file that you were given.')
    find('file').focus()
    return
  }
  const keys = keysIn('keys')
  const witnesses = keysIn('witnesses')
  const remaining = new Remaining(performance.now())
  busy = true
  show('working')
  find('result').replaceChildren()
  window.bluelampResult = null
  announce('Checking.')
  let report
  try {
    // Another key for the same file needs no second reading; the same key asks for one.
    const given = JSON.stringify([keys, witnesses])
    const again = before.file === file && before.given !== given
    before = { file, given }
    checker ??= new Checker()
    report = await checker.check(file, keys, witnesses, (done, total) => {
      const left = remaining.update(performance.now(), done, total)
      const percent = total ? Math.floor((100 * done) / total) : 100
      find('bar').value = percent
      find('bar').textContent = `${percent} %`
      find('status').textContent = `${percent} % · ${fileSize(done)} of ${fileSize(total)}${left === null ? '' : ` · about ${seconds(left)} left`}`
      const quarter = Math.floor(percent / 25) * 25
      if (quarter && quarter < 100 && quarter !== remaining.told) {
        remaining.told = quarter
        announce(`${quarter} % checked.`)
      }
    }, again)
  } catch (error) {
    forget()
    show('form')
    complain(`This browser cannot do the check (${error.message}). Current versions of Chrome, Edge, Firefox and Safari can; so can the command: bluelamp verify.`)
    return
  } finally {
    busy = false
  }
  show('form')
  if (report === null) {
    forget()
    announce('The check was cancelled. Nothing is known about the package.')
    complain('The check was cancelled. Nothing is known about the package.')
    return
  }
  window.bluelampResult = report
  const heading = showReport(find('result'), report, { name: file.name, size: file.size, at: new Date() })
  announce(`${words.verdicts[report.verdict].title}.`)
  heading.focus()
  find('start').textContent = 'Check again'
}

const forget = () => {
  checker = null
  before = {}
}

const show = (part) => {
  find('working').hidden = part !== 'working'
  find('form').hidden = part === 'working'
  if (part === 'working') {
    find('bar').value = 0
    find('status').textContent = ''
    find('cancel').focus()
  }
}

const announce = (text) => {
  find('live').textContent = text
}

const drop = find('drop')
find('file').addEventListener('change', () => chosen() && choose(null))
find('form').addEventListener('submit', (event) => {
  event.preventDefault()
  start()
})
find('cancel').addEventListener('click', () => checker?.cancel())
// The whole page takes a dropped file: a browser would otherwise leave the page and open the ZIP file.
document.addEventListener('dragover', (event) => {
  event.preventDefault()
  drop.classList.toggle('over', event.target instanceof Node && drop.contains(event.target))
})
document.addEventListener('dragleave', () => drop.classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  drop.classList.remove('over')
  if (event.dataTransfer.files.length && !busy) choose(event.dataTransfer.files[0])
})
find('form').hidden = false
