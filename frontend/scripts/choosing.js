// Which of the files that were chosen or dropped are sent.

import { filesize } from './words.js'

const NAMED = 5

// What a browser does not know may well be footage: many recorders have formats of their own. A document is none.
const looksOdd = (file) => file.type && !/^(video|audio|image)\/|octet-stream/.test(file.type)

const sentAllTheSame = (odd) => {
  if (odd.length === 0) return true
  const names = odd.slice(0, NAMED).map((file) => file.name)
  if (odd.length > NAMED) names.push(`${odd.length - NAMED} more`)
  const [they, them, looks] = odd.length === 1 ? ['it', 'it', 'does not look'] : ['they', 'them', 'do not look']
  const question = `${names.join(', ')}: ${they} ${looks} like footage.`
  return window.confirm(`${question} What is sent is kept as a recording and cannot be taken back. Send ${them} all the same?`)
}

const cannotBeSent = (file, limits, trouble) => {
  if (file.size === 0) {
    const text = `There is nothing in ${file.name} (0 bytes). Keep it, and ask whoever handed it over for another copy.`
    trouble('That file is empty', text)
    return true
  }
  if (file.size > Number(limits.mostBytes)) {
    const text = `${file.name} has ${filesize(file.size)}; this server takes at most ${limits.mostSaid}.`
    trouble('That file is too large', `${text} Keep it, and ask the operator to raise the limit.`)
    return true
  }
  return false
}

// Those to send. `limits` holds mostBytes and mostSaid; `trouble` is told, with a title and a text, what cannot be sent.
export const wanted = (files, limits, trouble) => {
  const possible = [...files].filter((file) => !cannotBeSent(file, limits, trouble))
  const all = sentAllTheSame(possible.filter(looksOdd))
  return possible.filter((file) => all || !looksOdd(file))
}

// A folder that is dropped comes as an entry without content; its files are chosen one by one.
export const dropped = (transfer, trouble) => {
  const items = [...transfer.items].filter((item) => item.kind === 'file')
  if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
    trouble('A folder cannot be dropped', 'Open the folder, mark the files in it, and drop those.')
  }
  return items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile())
}
