// Sends the files of one addition by tus, several one after the other, and goes on with what was interrupted.
//
// The server knows which files of this addition have not arrived whole (the list on the page); one that is chosen again
// is known by a hash of its beginning and end. Nothing is kept in the browser: desktops are shared.

import { Upload } from 'tus-js-client'

import { dropped, inAll, sorted } from './choosing.js'
import { inWords, passes, problemOf } from './problems.js'
import { filesize, lasting } from './words.js'

const AT_ONCE = 2
const CHUNK = 16 * 1024 * 1024
const MARKED = 1024 * 1024
const DELAYS = [500, 1000, 3000, 5000, 10000, 20000, 30000]
const RETRY_EVERY = 15000
const FOLLOW_EVERY = 5000
const FOLLOW_TIMES = 24
const RATE_SECONDS = 5

const place = document.querySelector('[data-adding]')
const list = document.querySelector('[data-list]')
const find = (name, within = place) => within.querySelector(`[data-${name}]`)
const sendings = []

const say = (text) => {
  find('said').textContent = text
}

const trouble = (title, text, signIn = false) => {
  find('trouble-title').textContent = title
  find('trouble-text').textContent = text
  find('trouble-link').hidden = !signIn
  find('trouble').hidden = false
  find('trouble').focus()
}

const signedOut = () => {
  const kept = 'Your sign-in has ended. What has arrived is kept.'
  trouble('You are signed out', `${kept} Sign in again and choose the same files: they go on where they stopped.`, true)
}

// --- What the server knows ---------------------------------------------------------------------------------------

class SignedOut extends Error {}

const refresh = async () => {
  const answer = await fetch(place.dataset.files, { redirect: 'manual', credentials: 'same-origin' })
  if (answer.type === 'opaqueredirect') throw new SignedOut()
  if (!answer.ok) throw new Error(`the list answered ${answer.status}`)
  list.innerHTML = await answer.text()
  hideActive()
  compare()
}

// What is being sent from this page has a row of its own above.
const hideActive = () => {
  const active = new Set(sendings.map((sending) => sending.id).filter(Boolean))
  for (const item of list.querySelectorAll('[data-file]')) {
    item.hidden = active.has(item.dataset.file) && item.dataset.state === 'arriving'
  }
}

const known = (id) => list.querySelector(`[data-file="${CSS.escape(id)}"]`)

const unfinished = (file, mark) =>
  [...list.querySelectorAll('[data-state="arriving"]')].find(
    (item) =>
      Number(item.dataset.bytes) === file.size &&
      (mark ? item.dataset.mark === mark : !item.dataset.mark && item.dataset.name === file.name) &&
      !sendings.some((other) => other.id === item.dataset.file)
  )

// The SHA-256 of the file's first and last MiB and its size; empty where the browser has no WebCrypto (plain HTTP).
const markOf = async (file) => {
  if (!window.crypto?.subtle) return ''
  const end = Math.max(MARKED, file.size - MARKED)
  const ends = new Blob([file.slice(0, MARKED), file.slice(end), String(file.size)])
  const digest = await crypto.subtle.digest('SHA-256', await ends.arrayBuffer())
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

// --- One file ----------------------------------------------------------------------------------------------------

class Sending {
  constructor(file) {
    this.file = file
    this.state = 'waiting'
    this.id = ''
    this.samples = []
    this.sent = 0
    this.stuckAt = 0
    this.row = find('row').content.firstElementChild.cloneNode(true)
    find('name', this.row).textContent = file.name
    find('size', this.row).textContent = filesize(file.size)
    find('bar', this.row).setAttribute('aria-label', file.name)
    for (const [name, act] of [['pause', () => this.toggle()], ['give-up', () => this.giveUp()]]) {
      const button = find(name, this.row)
      button.addEventListener('click', act)
      const more = document.createElement('span')
      more.className = 'govuk-visually-hidden'
      more.textContent = ` ${file.name}`
      button.dataset.word = button.textContent
      button.append(more)
    }
    this.words('Waits for its turn')
    find('rows').append(this.row)
  }

  words(text) {
    find('words', this.row).textContent = text
  }

  label(word) {
    find('pause', this.row).firstChild.textContent = word
  }

  get active() {
    return ['starting', 'sending', 'lost'].includes(this.state)
  }

  async start() {
    this.state = 'starting'
    this.label('Pause')
    try {
      await (this.preparing ??= this.prepare())
    } catch {
      this.preparing = null
      this.fail('The browser could not read this file. Is it still there? Choose it again.')
      return
    }
    if (this.state !== 'starting') {
      next()
      return
    }
    this.state = 'sending'
    this.samples = []
    this.upload.start()
  }

  async prepare() {
    const mark = await markOf(this.file)
    const twice = sendings.some((other) => other !== this && other.mark && other.mark === mark)
    if (twice) {
      this.remove()
      say(`${this.file.name} is being sent already.`)
      return
    }
    this.mark = mark
    await refresh().catch(() => {})
    const begun = unfinished(this.file, mark)
    if (begun) {
      this.id = begun.dataset.file
      hideActive()
      say(`${this.file.name} goes on where it stopped.`)
    }
    const { endpoint, addition } = place.dataset
    this.upload = new Upload(this.file, {
      endpoint,
      uploadUrl: begun ? endpoint + this.id : null,
      chunkSize: CHUNK,
      retryDelays: DELAYS,
      storeFingerprintForResuming: false,
      metadata: { addition, filename: this.file.name, mark },
      onUploadUrlAvailable: () => {
        this.id = new URL(this.upload.url, location.href).pathname.split('/').pop()
      },
      onShouldRetry: (error) => {
        const problem = problemOf(error)
        if (this.state === 'sending' && passes(problem)) {
          this.stuckAt = this.sent
          const busy = problem.detail || 'The server cannot take it just now.'
          this.words(problem.status >= 500 ? `${busy} Trying again …` : 'The connection is interrupted; trying again …')
        }
        return passes(problem)
      },
      onProgress: (sent, total) => this.progress(sent, total),
      onSuccess: () => this.arrived(),
      onError: (error) => this.failed(error)
    })
  }

  progress(sent, total) {
    if (this.state !== 'sending') return
    this.sent = sent
    // A further try begins with what was there already: no reason to call the connection sound.
    if (this.stuckAt && sent <= this.stuckAt) return
    this.stuckAt = 0
    find('bar', this.row).value = (100 * sent) / total
    if (sent === total) {
      this.words('All of it was sent; the server is checking it …')
      return
    }
    const now = performance.now() / 1000
    this.samples.push([now, sent])
    while (this.samples.length > 2 && now - this.samples[0][0] > RATE_SECONDS) this.samples.shift()
    const [then, before] = this.samples[0]
    const rate = now - then > 0.5 ? (sent - before) / (now - then) : 0
    const percent = Math.floor((100 * sent) / total)
    const pace = rate > 0 ? `, ${filesize(rate)} a second, ${lasting((total - sent) / rate)} still` : ''
    this.words(`${percent}%: ${filesize(sent)} of ${filesize(total)}${pace}`)
  }

  toggle() {
    if (this.active) {
      this.pause('Paused. What has arrived is kept.')
    } else {
      this.state = 'waiting'
      find('trouble').hidden = true
      this.words('Waits for its turn')
      next()
    }
  }

  pause(words) {
    this.state = 'paused'
    this.label('Resume')
    this.words(words)
    this.upload?.abort()
    next()
  }

  async giveUp() {
    if (this.id && !window.confirm(`Give up ${this.file.name}? What has arrived of it is removed.`)) return
    this.state = 'over'
    const focus = this.row.nextElementSibling?.querySelector('button') || document.querySelector('#choose')
    try {
      await this.upload?.abort(Boolean(this.id))
    } catch {
      // It stays in the list of files, from where it expires by itself.
    }
    this.remove()
    focus.focus()
    say(`${this.file.name} was given up.`)
    refresh().catch(() => {})
    next()
  }

  async arrived() {
    this.state = 'checking'
    this.words('All of it was sent; the server is checking it …')
    next()
    for (;;) {
      try {
        await refresh()
        const item = known(this.id)
        if (!item || !['settling', 'arriving'].includes(item.dataset.state)) break
      } catch (error) {
        if (error instanceof SignedOut) {
          this.remove()
          signedOut()
          return
        }
        // Asked again: the file is through, and only the list could not be read.
      }
      await new Promise((done) => setTimeout(done, 1500))
    }
    this.ended()
  }

  ended() {
    followed = 0
    const state = known(this.id)?.dataset.state
    this.state = 'over'
    this.remove()
    hideActive()
    const said = { here: 'is safe on the server.', twin: 'is here already, and was not stored twice.' }
    say(`${this.file.name} ${said[state] || 'was not taken; see the list of files.'}`)
  }

  async failed(error) {
    const problem = problemOf(error)
    if (error.originalRequest && passes(problem)) {
      this.state = 'lost'
      const why = problem.status ? 'The server cannot take it just now.' : 'The connection is lost.'
      this.words(`${why} What has arrived is kept; this page goes on by itself when it can.`)
      say(`${why} ${this.file.name} waits.`)
      return
    }
    if (problem.status === 401) {
      for (const other of sendings) if (other.active || other.state === 'waiting') other.pause('Waits for your sign-in.')
      signedOut()
      return
    }
    // What it was rejected for, or that it is here already, stands in the list.
    await refresh().catch(() => {})
    if (['twin', 'rejected', 'here'].includes(known(this.id)?.dataset.state)) {
      this.ended()
      next()
      return
    }
    this.fail(inWords(problem) || 'The browser could not read this file. Is it still there? Choose it again.')
  }

  fail(words) {
    this.state = 'failed'
    this.label('Try again')
    this.words(words)
    say(`${this.file.name}: ${words}`)
    next()
  }

  remove() {
    this.state = 'over'
    this.row.remove()
    const index = sendings.indexOf(this)
    if (index >= 0) sendings.splice(index, 1)
  }
}

// --- The page ----------------------------------------------------------------------------------------------------

const next = () => {
  const busy = sendings.filter((sending) => sending.active).length
  for (const sending of sendings.filter((one) => one.state === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) {
    sending.start()
  }
}

const isBegun = (file) =>
  [...list.querySelectorAll('[data-state="arriving"]')].some(
    (item) => item.dataset.name === file.name && Number(item.dataset.bytes) === file.size
  )

const add = (files, folders = []) => {
  find('trouble').hidden = true
  const limits = { mostBytes: Number(place.dataset.mostBytes), mostSaid: place.dataset.mostSaid }
  const { send, unsent } = sorted(files, limits, isBegun)
  for (const file of send) sendings.push(new Sending(file))
  const all = [...folders, ...unsent]
  if (all.length > 0) trouble(...inAll(all))
  next()
}

// Whether a file can be shown is known some seconds after it is safe. Not for ever: where nobody prepares it, a page
// that asks again and again would keep its sign-in from ending.
let followed = 0
const follow = () => {
  const inUse = document.hidden || list.contains(document.activeElement)
  if (followed >= FOLLOW_TIMES || inUse || !list.querySelector('[data-preparing]')) return
  followed += 1
  refresh().catch(() => {})
}

const again = () => {
  for (const sending of sendings) if (sending.state === 'lost') sending.start()
}

const compare = () => {
  const form = document.querySelector('[data-compare]')
  const hashes = [...list.querySelectorAll('[data-sha256]')]
  form.hidden = hashes.length === 0
  const told = form.querySelector('input').value.replace(/[\s:-]/g, '').toLowerCase()
  let words = ''
  if (told) {
    const same = hashes.find((hash) => hash.textContent === told)
    if (!/^[0-9a-f]{64}$/.test(told)) words = 'That is no SHA-256: it has 64 digits and letters from a to f.'
    else if (same) words = `It is the same as that of ${same.closest('[data-file]').dataset.name}.`
    else words = 'It differs from that of every file here: what arrived is not what was described.'
  }
  form.querySelector('[data-compared]').textContent = words
}

const drop = find('drop')
const choose = document.querySelector('#choose')
place.hidden = false
choose.addEventListener('change', () => {
  add(choose.files)
  choose.value = ''
})
for (const name of ['dragenter', 'dragover']) {
  drop.addEventListener(name, (event) => {
    event.preventDefault()
    drop.classList.add('adding-drop--over')
  })
}
for (const name of ['dragleave', 'drop']) drop.addEventListener(name, () => drop.classList.remove('adding-drop--over'))
drop.addEventListener('drop', (event) => {
  event.preventDefault()
  const { files, folders } = dropped(event.dataTransfer)
  add(files, folders)
})
// A file dropped beside the place would otherwise replace the page.
for (const name of ['dragover', 'drop']) window.addEventListener(name, (event) => event.preventDefault())
window.addEventListener('online', again)
setInterval(again, RETRY_EVERY)
setInterval(follow, FOLLOW_EVERY)
window.addEventListener('beforeunload', (event) => {
  if (sendings.some((sending) => sending.active || sending.state === 'waiting')) event.preventDefault()
})
document.querySelector('[data-compare]').addEventListener('submit', (event) => event.preventDefault())
document.querySelector('#told').addEventListener('input', compare)
compare()
