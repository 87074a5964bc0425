// A report as a page: the verdict, what is wrong and what to do, the steps, the keys to compare.

import words from '../../src/bluelamp/verify/words.json'

import { fileSize } from './measure.js'

const MOST_SHOWN = 50
const STATUS = { good: 'Good', bad: 'Not good', 'cannot-tell': 'Cannot tell', 'not-run': 'Not checked' }
const CLAIMS = [
  ['force', 'Force'], ['exhibit', 'Exhibit'], ['case', 'Case'], ['purpose', 'Purpose'],
  ['recipient', 'Made for'], ['made_at', 'Made at'], ['id', 'Package']
]

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.append(...children.filter((child) => child !== null))
  return made
}

const paragraph = (text) => element('p', {}, text)

// As the clock in the courtroom shows it, with its zone (GMT or BST); UTC for machines.
const moment = (date) => {
  if (Number.isNaN(date.getTime())) return document.createTextNode('an impossible time')
  const london = { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'Europe/London', timeZoneName: 'short' }
  return element('time', { datetime: date.toISOString(), title: date.toISOString() }, date.toLocaleString('en-GB', london))
}

// Returns the heading, for the focus.
export const showReport = (target, report, file) => {
  const verdict = words.verdicts[report.verdict]
  const heading = element('h2', { id: 'verdict', tabindex: '-1' }, verdict.title)
  const banner = element('div', { class: `verdict ${report.verdict}` }, heading, paragraph(sentence(report, verdict)))
  target.replaceChildren(
    element('section', { 'aria-labelledby': 'verdict' }, banner, ...problems(report), ...keys(report), about(report, file), steps(report), ...witnesses(report), ...timestamp(report), limits(report), tools(report))
  )
  return heading
}

// Before step 6 nothing speaks for the force, so nothing may sound as if it did.
const sentence = (report, verdict) => {
  const first = report.problems[0]
  if (first?.step === 0) return words.problems[first.code].means
  return verdict.text
}

const problems = ({ problems: found }) => {
  if (!found.length) return []
  const shown = found.slice(0, MOST_SHOWN).map(({ code, text }) => {
    const { means, next } = words.problems[code]
    return element('li', {}, element('strong', {}, text), paragraph(means), element('p', {}, element('b', {}, 'What to do: '), next))
  })
  const rest = found.length > MOST_SHOWN ? [paragraph(`There are ${found.length - MOST_SHOWN} more; the technical result below names them all.`)] : []
  return [element('h3', {}, 'What was found'), element('ul', { class: 'problems' }, ...shown), ...rest]
}

const keys = ({ keys: claimed, trusted, verdict }) => {
  if (verdict === 'tampering') return []
  const shown = [[trusted, 'Signed with this key that you gave', 'Note where you got it: the result is worth as much as that source.']]
  if (verdict !== 'good') {
    shown.push([claimed, 'The package says that it is signed with', 'Compare this letter by letter with the key that the force publishes. A package can claim any key, so this line proves nothing by itself.'])
  }
  return shown.filter(([lines]) => lines.length).flatMap(([lines, title, text]) => [
    element('h3', {}, title),
    element('ul', { class: 'keys' }, ...lines.map((key) => element('li', {}, element('code', {}, key)))),
    paragraph(text)
  ])
}

const about = ({ claims, files, size, events, verdict }, file) => {
  const checked = [['File', `${file.name} (${fileSize(file.size)})`], ['Checked', moment(file.at)]]
  if (files) checked.push(['Contents', `${files} files, ${fileSize(size)}${events ? `, ${events} events` : ''}`])
  const rows = [
    ...CLAIMS.filter(([name]) => claims[name]).map(([name, label]) => [label, name === 'made_at' ? moment(new Date(claims[name])) : claims[name]])
  ]
  const list = (pairs) => element('dl', {}, ...pairs.map(([label, value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value))))
  const said = rows.length ? [element('h3', {}, verdict === 'good' ? 'The package' : 'What the package says of itself'), list(rows)] : []
  return element('div', {}, ...said, element('h3', {}, 'This check'), list(checked))
}

const steps = ({ steps: taken }) => {
  const items = taken.map(({ title, status }, number) => {
    const more = status === 'good' ? words.steps[number].good : ''
    return element('li', { class: status }, element('span', { class: 'tag' }, STATUS[status]), element('strong', {}, title), more ? paragraph(more) : null)
  })
  return element('div', {}, element('h3', {}, 'The six steps'), element('ol', { class: 'steps' }, ...items))
}

const witnesses = ({ cosignatures }) => {
  const lines = (known) => cosignatures
    .filter(({ trusted }) => trusted === known)
    .map(({ where, witness, time }) => element('li', {}, `${witness}, `, moment(new Date(time * 1000)), ` (${where})`))
  const told = [
    [lines(true), 'Witnesses that you named had seen the log at these times, and that it had only grown:'],
    [lines(false), 'The package itself names these. Only a key that you have from the witness shows that it is one:']
  ]
  const shown = told.filter(([items]) => items.length).flatMap(([items, text]) => [paragraph(text), element('ul', {}, ...items)])
  return shown.length ? [element('h3', {}, 'Witnesses'), ...shown] : []
}

const timestamp = ({ timestamp: found, verdict }) => {
  if (!found || verdict === 'tampering') return []
  return [element('h3', {}, 'Timestamp'), paragraph(words.timestamps[found.status].replace('{size}', found.size.toLocaleString('en-GB')))]
}

const limits = ({ verdict }) => element('div', {}, ...(verdict === 'good' ? [element('h3', {}, 'What this does not show'), paragraph(words.limits)] : []))

const tools = (report) => {
  const print = element('button', { type: 'button', class: 'secondary' }, 'Print this result')
  print.addEventListener('click', () => window.print())
  const details = element('details', {}, element('summary', {}, 'Technical result'), element('pre', { tabindex: '0', 'aria-label': 'Technical result' }, JSON.stringify(report, null, 2)))
  return element('div', { class: 'tools' }, print, details)
}
