// Which of the files that were chosen or dropped are sent, and what is said of the others.

import { filesize } from './words.js'

const NAMED = 5

// Known documents only. What a browser does not know may well be footage: many recorders have formats of their own,
// and some exports come as an archive or with their own player.
const DOCUMENT = new RegExp(
  '^(application/(pdf|rtf|msword|vnd[.](ms-(excel|powerpoint|word|outlook|xpsdocument)|openxmlformats|oasis[.]opendocument).*)' +
    '|text/(plain|html|csv|rtf|markdown|calendar)|message/.*)$'
)

const sentAllTheSame = (documents, others) => {
  if (documents.length === 0) return true
  const names = documents.slice(0, NAMED).map((file) => file.name)
  if (documents.length > NAMED) names.push(`${documents.length - NAMED} more`)
  const [they, them, looks] = documents.length === 1 ? ['it', 'it', 'looks like a document'] : ['they', 'them', 'look like documents']
  const question = `${names.join(', ')}: ${they} ${looks}, not like footage. What is sent is kept as a recording and cannot be taken back.`
  const beside = others === 0 ? '' : others === 1 ? ' The other file is sent in any case.' : ` The other ${others} files are sent in any case.`
  return window.confirm(`${question} Send ${them} all the same?${beside}`)
}

const hindrance = (file, limits) => {
  if (file.size === 0) {
    const text = `There is nothing in ${file.name} (0 bytes). Keep it, and ask whoever handed it over for another copy.`
    return { title: 'That file is empty', text }
  }
  if (file.size > limits.mostBytes) {
    const text = `${file.name} has ${filesize(file.size)}; this server takes at most ${limits.mostSaid}.`
    return { title: 'That file is too large', text: `${text} Keep it, and ask the operator to raise the limit.` }
  }
  return null
}

// What to `send`, and of everything else why not. `limits`: mostBytes, mostSaid; `isBegun` tells of a file that goes on.
export const sorted = (files, limits, isBegun) => {
  const send = []
  const documents = []
  const unsent = []
  for (const file of files) {
    const problem = hindrance(file, limits)
    if (problem) unsent.push(problem)
    else if (DOCUMENT.test(file.type) && !isBegun(file)) documents.push(file)
    else send.push(file)
  }
  if (sentAllTheSame(documents, send.length)) return { send: [...send, ...documents], unsent }
  const left = documents.map(({ name }) => ({
    title: 'That document was not sent',
    text: `${name} was not sent; nothing of it has left this computer.`
  }))
  return { send, unsent: [...unsent, ...left] }
}

// A folder that is dropped comes as an entry without content; its files are chosen one by one.
export const dropped = (transfer) => {
  const items = [...transfer.items].filter((item) => item.kind === 'file')
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory
  const folder = { title: 'A folder cannot be dropped', text: 'Open the folder, mark the files in it, and drop those.' }
  return {
    files: items.filter((item) => !isFolder(item)).map((item) => item.getAsFile()),
    folders: items.some(isFolder) ? [folder] : []
  }
}

// One title and text for all that was not sent.
export const inAll = (unsent) => {
  if (unsent.length === 1) return [unsent[0].title, unsent[0].text]
  const texts = unsent.slice(0, NAMED).map((each) => each.text)
  if (unsent.length > NAMED) texts.push(`And ${unsent.length - NAMED} more.`)
  return ['Not everything was sent', texts.join(' ')]
}
