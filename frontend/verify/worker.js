// Runs beside the page, so that a video of gigabytes does not freeze it. `again`: the same file with other keys.

import { PackageCheck } from './steps.js'

const EVERY_MS = 100

let check = null

self.onmessage = async ({ data: { file, keys, witnesses, again } }) => {
  let told = 0
  const progress = (done, total) => {
    const now = performance.now()
    if (now - told < EVERY_MS && done < total) return
    told = now
    self.postMessage({ kind: 'progress', done, total })
  }
  try {
    if (!again) check = new PackageCheck(file)
    self.postMessage({ kind: 'result', report: await check.judge(keys, witnesses, progress) })
  } catch (error) {
    self.postMessage({ kind: 'failure', message: String(error) })
  }
}
